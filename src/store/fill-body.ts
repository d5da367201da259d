import { createNotice } from '../lib/notice.ts';
import { createTrail, type Trail, type TrailOptions } from './trail.ts';

/** The bytes of a fill so far, and how many of them a reader may have. */
export interface FillBody {
  readonly trail: Trail;
  /** As announced; undefined while nobody said it. */
  size: number | undefined;
  readonly isVerified: boolean;
  readonly hasFailed: boolean;
  readonly readers: number;
  push(chunk: Buffer): void;
  /** Releases what was held back: length and digest agree. */
  verify(): void;
  /** Every reader rejects with the error from now on. The first error counts. */
  fail(error: unknown): void;
  /** @throws the error of `fail` */
  check(): void;
  /** Position up to which a reader that stops in front of `end` may read now. */
  limit(end: number | undefined): number;
  /** Counts a reader in; `position` says where it is. The returned function counts it out. */
  attach(position: () => number): () => void;
  /** Settles at the next change, or when somebody leaves. */
  changed(): Promise<void>;
}

export interface FillBodyOptions extends Omit<TrailOptions, 'slowest' | 'size'> {
  /** A reader came or left. */
  readonly onReaders: () => void;
}

const WITHHELD_BYTES = 64 * 1024;

export function createFillBody(options: FillBodyOptions): FillBody {
  const positions = new Set<() => number>();
  const news = createNotice();
  let size: number | undefined;
  let isVerified = false;
  let failure: { readonly error: unknown } | undefined;

  function slowest(): number | undefined {
    let lowest: number | undefined;
    for (const position of positions) lowest = Math.min(lowest ?? Number.POSITIVE_INFINITY, position());
    return lowest;
  }

  const trail = createTrail({ ...options, slowest, size: () => size });
  return {
    trail,
    get size() {
      return size;
    },
    set size(announced) {
      size = announced;
    },
    get isVerified() {
      return isVerified;
    },
    get hasFailed() {
      return failure !== undefined;
    },
    get readers() {
      return positions.size;
    },
    push(chunk) {
      trail.push(chunk);
      news.give();
    },
    verify() {
      isVerified = true;
      news.give();
    },
    fail(error) {
      failure ??= { error };
      news.give();
    },
    check() {
      if (failure !== undefined) throw failure.error;
    },
    limit(end) {
      const { received } = trail;
      if (isVerified) return Math.min(end ?? received, received);
      // Without a known end any byte may be the last one.
      return Math.min(received, (end ?? size ?? received) - WITHHELD_BYTES);
    },
    attach(position) {
      positions.add(position);
      options.onReaders();
      return () => {
        if (!positions.delete(position)) return;
        trail.readerMoved();
        news.give();
        options.onReaders();
      };
    },
    changed: news.wait,
  };
}
