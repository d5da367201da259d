import type { Socket } from 'node:net';
import { createBufferPool } from '../lib/buffer-pool.ts';

/**
 * Memory that sockets receive into. Node makes a new 64 KiB buffer for each read otherwise, and their collection costs more
 * than the transfer of a large body.
 */
export interface ReceiveBuffers {
  /** For `connect` of net and tls. */
  readonly onread: {
    buffer(): Uint8Array;
    callback(this: Socket, length: number, buffer: Uint8Array): boolean;
  };
  /** Takes back what one read brought, unless the chunk is only a part of it: header fields may be in the rest. */
  recycle(chunk: Uint8Array): void;
}

const BUFFER_BYTES = 256 * 1024;
/** Less than this is not worth taking back. */
const SMALLEST_BYTES = 8 * 1024;
const IDLE_BYTES = 8 * 1024 * 1024;

/** Makes the buffers of one client. */
export function createReceiveBuffers(): ReceiveBuffers {
  const pool = createBufferPool(IDLE_BYTES);
  /** How much a read brought into the buffers that left with it. */
  const filled = new WeakMap<ArrayBufferLike, number>();
  // Node asks for the next buffer right after it handed over the one before.
  let next: Buffer | undefined;

  /** What came, in memory of at most twice its size: whoever keeps it keeps no more. */
  function fitting(buffer: Buffer, length: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(length));
    if (size === BUFFER_BYTES) return buffer;
    next = buffer;
    const copy = pool.take(size);
    buffer.copy(copy, 0, 0, length);
    return copy;
  }

  return {
    onread: {
      buffer() {
        const buffer = next ?? pool.take(BUFFER_BYTES);
        next = undefined;
        return buffer;
      },
      callback(length, memory) {
        const buffer = Buffer.from(memory.buffer);
        if (length < SMALLEST_BYTES) {
          next = buffer;
          return this.push(Buffer.from(buffer.subarray(0, length)));
        }
        const taken = fitting(buffer, length);
        filled.set(taken.buffer, length);
        return this.push(taken.subarray(0, length));
      },
    },
    recycle(chunk) {
      if (filled.get(chunk.buffer) !== chunk.length) return;
      filled.delete(chunk.buffer);
      pool.give(Buffer.from(chunk.buffer));
    },
  };
}
