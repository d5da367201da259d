import type { Socket } from 'node:net';

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
const MAX_IDLE = 32;

/** Makes the buffers of one client. */
export function createReceiveBuffers(): ReceiveBuffers {
  const idle: Buffer[] = [];
  /** How much a read brought into the buffers that left with it. */
  const filled = new WeakMap<ArrayBufferLike, number>();
  // Node asks for the next buffer right after it handed over the one before.
  let next: Uint8Array | undefined;

  return {
    onread: {
      buffer() {
        const buffer = next ?? idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
        next = undefined;
        return buffer;
      },
      callback(length, buffer) {
        const isWorthKeeping = length > BUFFER_BYTES / 2;
        if (!isWorthKeeping) {
          next = buffer;
          return this.push(Buffer.from(buffer.subarray(0, length)));
        }
        filled.set(buffer.buffer, length);
        return this.push(buffer.subarray(0, length));
      },
    },
    recycle(chunk) {
      if (filled.get(chunk.buffer) !== chunk.length) return;
      filled.delete(chunk.buffer);
      if (idle.length < MAX_IDLE) idle.push(Buffer.from(chunk.buffer));
    },
  };
}
