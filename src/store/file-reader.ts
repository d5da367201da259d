import type { BufferPool } from '../lib/buffer-pool.ts';
import type { Clock } from '../lib/clock.ts';
import type { Files } from './files.ts';
import { createPace, SMALL_CHUNK } from './pace.ts';
import type { BlobReader } from './types.ts';

export interface FileReading {
  readonly files: Files;
  readonly pool: BufferPool;
  readonly clock: Clock;
}

export interface Stretch {
  readonly fd: number;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Called once, when the reader is closed or at its end and nothing is being read any more. */
  readonly onReleased: () => void;
  readonly onReadError: (error: Error) => void;
}

interface Filled {
  readonly buffer: Buffer;
  readonly length: number;
}

/** A crowd of quick clients must not hold a large buffer each: beyond this many bytes everybody gets small ones. */
const CROWDED_BYTES = 32 * 1024 * 1024;

/** Reads a stretch of an open file into pooled buffers; the next chunk is read while a quick client sends this one. */
export function createFileReader({ files, pool, clock }: FileReading, stretch: Stretch): BlobReader {
  const pace = createPace(clock.now);
  let position = stretch.start;
  let handedOut: Filled | undefined;
  let ahead: Promise<Filled> | undefined;
  let state: 'open' | 'closed' | 'released' = 'open';
  let isReading = false;
  const isCrowded = () => pool.lent >= CROWDED_BYTES;

  function releaseWhenIdle(): void {
    if (state !== 'closed' || isReading) return;
    state = 'released';
    stretch.onReleased();
  }

  function close(): void {
    if (state !== 'open') return;
    state = 'closed';
    // What was handed out last may still be on its way to a socket: it goes to the garbage collector, not to the pool.
    if (handedOut !== undefined) pool.giveUp(handedOut.buffer);
    handedOut = undefined;
    ahead?.then(({ buffer }) => pool.give(buffer), ignore);
    ahead = undefined;
    releaseWhenIdle();
  }

  function read(): Promise<Filled> {
    const buffer = pool.take(isCrowded() ? SMALL_CHUNK : pace.chunkSize);
    isReading = true;
    return new Promise((resolve, reject) => {
      files.read(stretch.fd, buffer, Math.min(buffer.length, stretch.end - position), position, (error, length) => {
        isReading = false;
        if (state === 'open' && !error && length > 0) {
          position += length;
          resolve({ buffer, length });
          return;
        }
        pool.give(buffer);
        releaseWhenIdle();
        if (state !== 'open') return reject(readerClosed());
        const problem = error ?? new Error(`the file ends at byte ${position} instead of ${stretch.end}`);
        stretch.onReadError(problem);
        reject(problem);
      });
    });
  }

  function readAhead(): void {
    ahead = read();
    // A client that leaves never asks for it.
    ahead.catch(ignore);
  }

  async function next(): Promise<Uint8Array | undefined> {
    if (state !== 'open') throw readerClosed();
    if (handedOut !== undefined) pool.give(handedOut.buffer);
    handedOut = undefined;
    pace.wanted();
    if (ahead === undefined && position === stretch.end) {
      close();
      return undefined;
    }
    const pending = ahead ?? read();
    ahead = undefined;
    const chunk = await pending;
    // It may have been closed while the chunk was under way.
    if (state !== 'open') {
      pool.give(chunk.buffer);
      throw readerClosed();
    }
    handedOut = chunk;
    pace.delivered(chunk.length);
    if (pace.isQuick && position < stretch.end && !isCrowded()) readAhead();
    return chunk.buffer.subarray(0, chunk.length);
  }

  return { next, close };
}

function ignore(): void {}

/** What `next` rejects with once the reader was closed. */
export function readerClosed(): Error {
  return new Error('the reader is closed');
}
