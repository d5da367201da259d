import { LRUCache } from 'lru-cache';
import type { Digest } from '../domain/digest.ts';
import { createSlots } from '../lib/slots.ts';
import { type BlobFilesOptions, createBlobFiles } from './blob-files.ts';
import { createFill, type RunningFill } from './fill.ts';
import { recentlyWrong, shuttingDown } from './fill-errors.ts';
import type { FillContext } from './fill-fetch.ts';
import type { BlobStore, FillSource } from './types.ts';

export interface BlobsOptions extends BlobFilesOptions {
  fits(size: number): boolean;
  /** A fill ended: there may be more to keep, or less that is needed. */
  onFillEnded(): void;
}

export interface Blobs extends BlobStore {
  /** Removes the blob unless it is being read or filled. Rejects when the file system refuses. */
  evict(digest: Digest): Promise<boolean>;
  /** Ends all fills; readers of stored blobs go on. */
  close(): Promise<void>;
}

const MAX_RUNNING_FILLS = 64;
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
  const wrong = new LRUCache<Digest, true>({
    max: MAX_WRONG,
    ttl: WRONG_FOR_MILLISECONDS,
    ttlResolution: 0,
    perf: clock,
  });
  let isClosed = false;

  const context: FillContext = {
    ...options,
    slots: createSlots(MAX_RUNNING_FILLS),
    newPart: layout.newPart,
    admit(digest) {
      if (isClosed) throw shuttingDown();
      if (wrong.has(digest)) throw recentlyWrong(digest);
    },
    findStored: async (digest) => (contents.find('blob', digest) ? blobFiles.open(digest) : undefined),
    onMismatch: (digest) => wrong.set(digest, true),
    commit: blobFiles.commit,
  };

  function joinable(digest: Digest): RunningFill | undefined {
    const fill = running.get(digest);
    return fill?.isJoinable ? fill : undefined;
  }

  function start(digest: Digest, source: FillSource): RunningFill {
    const fill = createFill(context, digest, source, {
      onOver() {
        if (running.get(digest) === fill) running.delete(digest);
        options.onFillEnded();
      },
      onReleased: () => live.delete(fill),
    });
    live.add(fill);
    running.set(digest, fill);
    return fill;
  }

  return {
    open: blobFiles.open,
    fill: joinable,
    startFill: (digest, source) => joinable(digest) ?? start(digest, source),
    evict: (digest) => blobFiles.evict(digest, () => running.has(digest)),
    async close() {
      isClosed = true;
      const fills = [...live];
      for (const fill of fills) fill.abort(shuttingDown());
      await Promise.all(fills.map((fill) => fill.ended));
      for (const fill of fills) fill.release();
      options.openFiles.dropAll();
    },
  };
}
