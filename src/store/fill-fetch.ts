import type { Digest } from '../domain/digest.ts';
import type { BufferPool } from '../lib/buffer-pool.ts';
import type { Slots } from '../lib/slots.ts';
import type { LentBlob } from './blob-files.ts';
import type { Counters } from './counters.ts';
import { type DownloadTarget, download, OverlongBody } from './download.ts';
import type { FileReading } from './file-reader.ts';
import type { FileStatus } from './files.ts';
import type { FillBody } from './fill-body.ts';
import { digestMismatch } from './fill-errors.ts';
import type { HashThread } from './hash-thread.ts';
import type { Health, Warn } from './health.ts';
import type { FillHead, FillSource } from './types.ts';

/** What a fill needs of the store around it. */
export interface FillContext extends FileReading {
  readonly slots: Slots;
  /** Memory of running fills, which the hashing thread can read. */
  readonly blocks: BufferPool;
  readonly hashThread: HashThread;
  readonly health: Health;
  readonly counters: Counters;
  readonly warn: Warn;
  newPart(digest: Digest): string;
  /** @throws a RegistryError when the blob is not to be fetched now */
  admit(digest: Digest): void;
  /** The blob, if it was stored in the meantime. */
  findStored(digest: Digest): Promise<LentBlob | undefined>;
  /** Whether a blob of that size has a place in the cache. */
  fits(size: number): boolean;
  /** The registry sent something else under this digest. */
  onMismatch(digest: Digest): void;
  commit(digest: Digest, part: string, status: FileStatus): Promise<void>;
}

export interface Fetching {
  readonly context: FillContext;
  readonly digest: Digest;
  readonly source: FillSource;
  readonly body: FillBody;
  readonly signal: AbortSignal;
  start(head: FillHead): void;
}

/** Downloads the blob into the body and releases its last bytes when length and digest agree. */
export async function fetchVerified(fetching: Fetching): Promise<void> {
  const { context, digest, source, body, signal } = fetching;
  const target = downloadTarget(fetching);
  context.counters.fills += 1;
  try {
    await download({ source, target, clock: context.clock, signal });
  } catch (error) {
    throw error instanceof OverlongBody ? mismatch(context, digest, undefined, target.received) : error;
  }
  const actual = await body.trail.digest();
  if (actual !== digest) throw mismatch(context, digest, actual, target.received);
  body.verify();
}

function downloadTarget({ context, digest, body, start }: Fetching): DownloadTarget {
  const { trail } = body;
  return {
    get received() {
      return trail.received;
    },
    get size() {
      return body.size;
    },
    set size(size) {
      body.size = size;
    },
    begin(head: FillHead) {
      start(head);
      trail.open(context.newPart(digest), digest);
    },
    push: body.push,
    // Behind the last byte comes only the end, which readers wait for: it must not wait for them.
    room: () => (trail.received === body.size ? undefined : trail.room()),
    resumed() {
      context.counters.resumed += 1;
    },
  };
}

function mismatch(context: FillContext, digest: Digest, actual: Digest | undefined, received: number): Error {
  context.counters.mismatched += 1;
  context.onMismatch(digest);
  const error = digestMismatch(digest, actual, received);
  context.warn('A registry sent wrong content. Nothing of it was stored.', { digest, actual, received });
  return error;
}

/** Makes a verified body the blob. False when it has no place or the file system fails: readers have all bytes even so. */
export async function store(context: FillContext, digest: Digest, { trail }: FillBody): Promise<boolean> {
  try {
    if (!trail.isPassingThrough && context.fits(trail.received)) {
      const { path, status } = await trail.complete();
      await context.commit(digest, path, status);
      context.health.worked('disk');
      return true;
    }
  } catch (error) {
    context.health.failed(error);
  }
  await trail.unlink();
  return false;
}
