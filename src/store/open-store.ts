import { createBufferPool } from '../lib/buffer-pool.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { createBlobs } from './blobs.ts';
import { createContents, type Usage } from './contents.ts';
import { type Counters, createCounters } from './counters.ts';
import { type Database, openDatabase } from './database.ts';
import { createEviction, type Eviction } from './eviction.ts';
import { createFacts } from './facts.ts';
import { type Files, nodeFiles } from './files.ts';
import { createHealth, type Health, type HealthState, type Warn } from './health.ts';
import { type HousekeepingOptions, listUnlisted, removeOrphans } from './housekeeping.ts';
import { createLayout, type Layout } from './layout.ts';
import { lockDirectory } from './lock.ts';
import { createManifests } from './manifests.ts';
import { createOpenFiles } from './open-files.ts';
import { prepareDirectory } from './prepare-directory.ts';
import { limitSyncs } from './sync-limit.ts';
import type { BlobStore, Facts, ManifestStore } from './types.ts';

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
  /** Whether something is broken; mends itself as soon as writing works again. */
  health(): HealthState;
  usage(): Usage;
  /** What happened since the start. */
  counters(): Readonly<Counters>;
  setMaxSize(bytes: number): void;
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
  const common = { ...foundation, pool: createBufferPool(IDLE_BUFFER_BYTES), health, counters, contents };
  const eviction = createEviction(
    {
      ...common,
      remove: (kind, digest) => (kind === 'blob' ? blobs.evict(digest) : manifests.evict(digest)),
    },
    foundation.maxSize,
  );
  const blobs = createBlobs({
    ...common,
    openFiles: createOpenFiles(files, eviction.retry),
    turns: createKeyedQueue(),
    fits: (size) => size <= eviction.maxSize,
    onFillEnded: eviction.trigger,
  });
  const manifests = createManifests({ ...common, turns: createKeyedQueue(), onStored: eviction.trigger });
  const housekeeping = keepHouse({ ...common, eviction });

  async function close(): Promise<void> {
    await blobs.close();
    await eviction.close();
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
    health: health.state,
    usage: contents.usage,
    counters: () => counters,
    setMaxSize: eviction.setMaxSize,
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

/** Does what a start left to do, in the background. `stop` settles with whether all files are listed. */
function keepHouse({ database, eviction, health, ...options }: HousekeepingNeeds): { stop(): Promise<boolean> } {
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
    stop() {
      controller.abort();
      return done;
    },
  };
}
