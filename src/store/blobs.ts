import { LRUCache } from 'lru-cache';
import type { Digest } from '../domain/digest.ts';
import { allocateShared, createBufferPool } from '../lib/buffer-pool.ts';
import { openFileLimit } from '../lib/open-file-limit.ts';
import { createSlots } from '../lib/slots.ts';
import { type BlobFilesOptions, createBlobFiles } from './blob-files.ts';
import type { Counters } from './counters.ts';
import { createFill, type RunningFill } from './fill.ts';
import { recentlyWrong, shuttingDown } from './fill-errors.ts';
import type { FillContext } from './fill-fetch.ts';
import { createHashThread } from './hash-thread.ts';
import type { Warn } from './health.ts';
import type { BlobStore, FillShare, FillSource } from './types.ts';

export interface BlobsOptions extends BlobFilesOptions {
  readonly counters: Counters;
  readonly warn: Warn;
  fits(size: number): boolean;
  /** A fill ended: there may be more to keep, or less that is needed. */
  onFillEnded(): void;
}

export interface Blobs extends BlobStore {
  /** Removes the blob unless it is being read or filled. Rejects when the file system refuses. */
  evict(digest: Digest): Promise<boolean>;
  /** Removes the blob; whoever reads it keeps it to the end. Rejects when the file system refuses. */
  remove(digest: Digest): Promise<void>;
  /** Settles when all that readers have whole by now is in its place, or has none. */
  placed(): Promise<void>;
  /** Ends all fills; readers of stored blobs go on. */
  close(): Promise<void>;
}

const MAX_RUNNING_FILLS = 64;
const IDLE_BLOCK_BYTES = 32 * 1024 * 1024;
const MAX_LIVE_FILLS = Math.min(256, Math.ceil(openFileLimit() / 16));
const NOBODYS: FillShare = { group: '', client: '' };
const WRONG_FOR_MILLISECONDS = 60_000;
const MAX_WRONG = 10_000;

/** The blob store: verified files, and at most one fill for each digest. */
export function createBlobs(options: BlobsOptions): Blobs {
  const { contents, layout, clock } = options;
  const blobFiles = createBlobFiles(options);
  /** Those that can be joined, or could until a moment ago. */
  const running = new Map<Digest, RunningFill>();
  /** Those that hold anything. */
  const live = new Set<RunningFill>();
  /** When a registry sent something else. */
  const wrong = new LRUCache<string, number>({ max: MAX_WRONG });
  const hashThread = createHashThread();
  let isClosed = false;

  const context: Omit<FillContext, 'admit' | 'onMismatch'> = {
    ...options,
    slots: createSlots(MAX_RUNNING_FILLS),
    blocks: createBufferPool(IDLE_BLOCK_BYTES, allocateShared),
    hashThread,
    newPart: layout.newPart,
    findStored: async (digest) => (contents.find('blob', digest) ? blobFiles.open(digest) : undefined),
    commit: blobFiles.commit,
  };

  function wasWrong(key: string): boolean {
    const age = clock.now() - (wrong.get(key) ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back must not refuse the blob for longer.
    return age >= 0 && age < WRONG_FOR_MILLISECONDS;
  }

  function joinable(digest: Digest): RunningFill | undefined {
    const fill = running.get(digest);
    return fill?.isJoinable ? fill : undefined;
  }

  /** One registry that sends wrong bytes does not keep the blob from those who ask another. */
  function contextOf(registry: string): FillContext {
    return {
      ...context,
      admit(digest) {
        if (isClosed) throw shuttingDown();
        if (wasWrong(`${registry} ${digest}`)) throw recentlyWrong(digest);
      },
      onMismatch: (digest) => wrong.set(`${registry} ${digest}`, clock.now()),
    };
  }

  function start(digest: Digest, source: FillSource, registry: string, share: FillShare): RunningFill {
    const fill = createFill(
      contextOf(registry),
      { digest, source, share },
      {
        onOver() {
          if (running.get(digest) === fill) running.delete(digest);
          releaseIdle();
          options.onFillEnded();
        },
        onReleased: () => live.delete(fill),
      },
    );
    live.add(fill);
    running.set(digest, fill);
    return fill;
  }

  /** Small blobs come by the hundred in a second, and each that is over keeps its file open for a while. */
  function releaseIdle(): void {
    for (const fill of live) {
      if (live.size <= MAX_LIVE_FILLS) return;
      if (fill.isIdle) fill.release();
    }
  }

  return {
    // While a blob is being put in its place its fill has it, and does not wait for the disk.
    open: async (digest) => (joinable(digest) === undefined ? blobFiles.open(digest) : undefined),
    fill: joinable,
    startFill(digest, source, registry = '', share = NOBODYS) {
      const running = joinable(digest);
      running?.join(share);
      return running ?? start(digest, source, registry, share);
    },
    evict: (digest) => blobFiles.evict(digest, () => running.has(digest)),
    remove: blobFiles.remove,
    async placed() {
      const placing = [...live].filter(({ isPlacing }) => isPlacing);
      await Promise.all(placing.map(({ ended }) => ended));
    },
    async close() {
      isClosed = true;
      const fills = [...live];
      for (const fill of fills) fill.abort(shuttingDown());
      await Promise.all(fills.map((fill) => fill.ended));
      for (const fill of fills) fill.release();
      await hashThread.close();
      options.openFiles.dropAll();
    },
  };
}
