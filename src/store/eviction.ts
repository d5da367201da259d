import type { Digest } from '../domain/digest.ts';
import type { Contents, ContentUse } from './contents.ts';
import type { Counters } from './counters.ts';
import type { Health } from './health.ts';
import type { ContentKind } from './layout.ts';

export interface EvictionOptions {
  readonly contents: Contents;
  readonly counters: Counters;
  readonly health: Health;
  /** Removes one file. False when it is needed; rejects when the file system refuses. */
  remove(kind: ContentKind, digest: Digest): Promise<boolean>;
}

/** Keeps what is stored within a number of bytes. */
export interface Eviction {
  readonly maxSize: number;
  setMaxSize(bytes: number): void;
  /** Starts to make room if there is too much, unless it is being made already. */
  trigger(): void;
  /** Tries again if there was too much of what was needed: some of it is not needed any more. */
  retry(): void;
  /** Ends making room; settles when nothing is being removed any more. */
  close(): Promise<void>;
}

/** Removes the least recently used first, and only as much as is over `maxSize`. */
export function createEviction(options: EvictionOptions, initialMaxSize: number): Eviction {
  const { contents, counters, health } = options;
  let maxSize = initialMaxSize;
  let running: Promise<void> | undefined;
  let isClosed = false;
  let isShort = false;

  const isOver = () => !isClosed && contents.usage().bytes > maxSize;

  async function makeRoom(): Promise<void> {
    let last: ContentUse | undefined;
    while (isOver()) {
      const candidates = contents.leastUsed(last);
      isShort = candidates.length === 0;
      if (isShort) return;
      for (const candidate of candidates) {
        if (!isOver()) return;
        if (await options.remove(candidate.kind, candidate.digest)) counters.evicted += 1;
        last = candidate;
      }
    }
  }

  function trigger(): void {
    if (running !== undefined || !isOver()) return;
    isShort = false;
    running = makeRoom()
      .catch(health.failed)
      .finally(() => {
        running = undefined;
      });
  }

  return {
    get maxSize() {
      return maxSize;
    },
    setMaxSize(bytes) {
      maxSize = bytes;
      trigger();
    },
    trigger,
    retry() {
      if (isShort) trigger();
    },
    async close() {
      isClosed = true;
      await running;
    },
  };
}
