import type { Digest } from '../domain/digest.ts';
import { createBufferPool } from '../lib/buffer-pool.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { createBlobs } from './blobs.ts';
import { createContentCheck } from './check-content.ts';
import { createContents, type Usage } from './contents.ts';
import { type Counters, createCounters } from './counters.ts';
import { type Database, openDatabase } from './database.ts';
import { createEviction, type Eviction } from './eviction.ts';
import { createFacts } from './facts.ts';
import { type Files, nodeFiles } from './files.ts';
import { createHealth, type Health, type HealthState, type Warn } from './health.ts';
import { type HousekeepingOptions, listUnlisted, removeOrphans } from './housekeeping.ts';
import { type ContentKind, createLayout, type Layout } from './layout.ts';
import { lockDirectory } from './lock.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import { createManifests } from './manifests.ts';
import { createOpenFiles } from './open-files.ts';
import { prepareDirectory } from './prepare-directory.ts';
import { createQuarantine } from './quarantine.ts';
import { createQuotas, type Quotas } from './quotas.ts';
import { createScrubber } from './scrub.ts';
import { createScrubPosition } from './scrub-position.ts';
import { limitSyncs } from './sync-limit.ts';
import { createPins, createTagHistory, type PinRecords, type TagHistory } from './tag-history.ts';
import { createTokenRecords, type TokenRecords } from './token-records.ts';
import type { BlobStore, Facts, ManifestStore } from './types.ts';
import { createUsageRecords, type UsageRecords } from './usage-records.ts';

export interface StoreOptions {
  readonly directory: string;
  /** Bytes of blobs and manifests to keep at most; what is in flight comes on top. */
  readonly maxSize: number;
  readonly warn: Warn;
  readonly files?: Files;
  readonly clock?: Clock;
}

export interface Store {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly facts: Facts;
  readonly tagHistory: TagHistory;
  readonly pins: PinRecords;
  readonly tokens: TokenRecords;
  readonly usageRecords: UsageRecords;
  /** Whether something is broken; mends itself as soon as writing works again. */
  health(): HealthState;
  usage(): Usage;
  /** What happened since the start. */
  counters(): Readonly<Counters>;
  setMaxSize(bytes: number): void;
  /** What each endpoint may use of the cache. */
  readonly quotas: Pick<Quotas, 'set' | 'used' | 'figures'>;
  /** Bytes per second that the scrubber hashes; 0 is off, as after opening. */
  setScrubRate(bytesPerSecond: number): void;
  readonly maintenance: Maintenance;
  /** Settles when the blobs that clients have whole by now are stored, as far as they can be. */
  placed(): Promise<void>;
  /** Ends all fills, writes what is pending and gives the directory up. Readers of stored blobs go on. Safe to call twice. */
  close(): Promise<void>;
}

const IDLE_BUFFER_BYTES = 64 * 1024 * 1024;

/**
 * Opens a cache directory for this process alone. Nothing is scanned before it is open.
 * @throws an Error whose message is one plain sentence, with the path and the reason, when the directory cannot be used
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock = systemClock, directory, warn, maxSize } = options;
  const files = limitSyncs(options.files ?? nodeFiles);
  const layout = createLayout(directory);
  await prepareDirectory(files, layout);
  const unlock = lockDirectory(directory, layout.lock);
  try {
    const database = openDatabase(layout.facts, warn);
    return assemble({ files, clock, layout, database, warn, maxSize, unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}

interface Foundation {
  readonly files: Files;
  readonly clock: Clock;
  readonly layout: Layout;
  readonly database: Database;
  readonly warn: Warn;
  readonly maxSize: number;
  unlock(): void;
}

function assemble(foundation: Foundation): Store {
  const { files, clock, database, warn } = foundation;
  const health = createHealth(warn);
  const counters = createCounters();
  const contents = createContents(database, health, clock);
  const known = { ...foundation, health, counters, contents };
  const quarantine = createQuarantine({ ...known, now: clock.now });
  const common = { ...known, quarantine, pool: createBufferPool(IDLE_BUFFER_BYTES) };
  const remove = (kind: ContentKind, digest: Digest) =>
    kind === 'blob' ? blobs.evict(digest) : manifests.evict(digest);
  const eviction = createEviction({ ...common, remove }, foundation.maxSize);
  const quotas = createQuotas({ ...common, remove });
  const openFiles = createOpenFiles(files, () => {
    eviction.retry();
    quotas.retry();
  });
  const turns = { blob: createKeyedQueue<Digest>(), manifest: createKeyedQueue<Digest>() };
  const blobs = createBlobs({
    ...common,
    openFiles,
    turns: turns.blob,
    fits: (size) => size <= eviction.maxSize,
    onFillEnded() {
      eviction.trigger();
      quotas.retry();
    },
  });
  const manifests = createManifests({ ...common, turns: turns.manifest, onStored: eviction.trigger });
  const housekeeping = keepHouse({ ...common, eviction });
  const check = createContentCheck({ ...common, openFiles, turns });
  const scrubber = createScrubber({ ...common, check, position: createScrubPosition(database, health) });
  const maintenance = createMaintenance({
    ...common,
    check,
    now: clock.now,
    tidied: housekeeping.done,
    placed: blobs.placed,
    remove: async (kind, digest) => void (await (kind === 'blob' ? blobs.remove(digest) : manifests.evict(digest))),
  });

  async function close(): Promise<void> {
    await blobs.close();
    await Promise.all([eviction.close(), quotas.close(), scrubber.close(), maintenance.close()]);
    const allFilesAreListed = await housekeeping.stop();
    contents.flush();
    try {
      database.close(allFilesAreListed);
    } finally {
      foundation.unlock();
    }
  }

  let closing: Promise<void> | undefined;
  return {
    blobs,
    manifests,
    facts: createFacts(database, health),
    tagHistory: createTagHistory(database, health),
    pins: createPins(database, health),
    tokens: createTokenRecords(database),
    usageRecords: createUsageRecords(database, health),
    health: health.state,
    usage: contents.usage,
    counters: () => counters,
    setMaxSize: eviction.setMaxSize,
    quotas,
    setScrubRate: scrubber.setRate,
    maintenance,
    placed: blobs.placed,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

interface HousekeepingNeeds extends Omit<HousekeepingOptions, 'signal'> {
  readonly database: Database;
  readonly eviction: Eviction;
  readonly health: Health;
}

interface Housekeeping {
  readonly done: Promise<boolean>;
  /** Settles with whether all files are listed. */
  stop(): Promise<boolean>;
}

/** Does what a start left to do, in the background. */
function keepHouse({ database, eviction, health, ...options }: HousekeepingNeeds): Housekeeping {
  const controller = new AbortController();
  const { signal } = controller;

  async function work(): Promise<boolean> {
    try {
      await removeOrphans({ ...options, signal });
      const allFilesAreListed = !database.mayLackFiles || (await listUnlisted({ ...options, signal }));
      eviction.trigger();
      return allFilesAreListed;
    } catch (error) {
      health.failed(error);
      return false;
    }
  }

  const done = work();
  return {
    done,
    stop() {
      controller.abort();
      return done;
    },
  };
}
