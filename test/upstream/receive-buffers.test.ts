import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createReceiveBuffers } from '../../src/upstream/receive-buffers.ts';

const BUFFER_BYTES = 256 * 1024;

/** What one read of `length` bytes gives, as node:net does it; all of them are `byte`. */
function read({ onread }: ReturnType<typeof createReceiveBuffers>, length: number, byte = 0): Buffer {
  const pushed: Buffer[] = [];
  const socket = { push: (chunk: Buffer) => pushed.push(chunk) > 0 };
  const buffer = onread.buffer();
  buffer.fill(byte, 0, length);
  // A socket, as far as the buffers use it.
  onread.callback.call(socket as unknown as Socket, length, buffer);
  const [chunk = Buffer.alloc(0)] = pushed;
  return chunk;
}

describe('receive buffers', () => {
  it('take the next bytes when a chunk was given back', () => {
    const buffers = createReceiveBuffers();
    const first = read(buffers, BUFFER_BYTES);
    buffers.recycle(first);
    expect(read(buffers, BUFFER_BYTES).buffer).toBe(first.buffer);
  });

  it('leave a chunk alone that nobody gave back', () => {
    const buffers = createReceiveBuffers();
    const first = read(buffers, BUFFER_BYTES);
    expect(read(buffers, BUFFER_BYTES).buffer).not.toBe(first.buffer);
  });

  it('do not come back by a chunk that is only a part of what was read, because header fields may be in the rest', () => {
    const buffers = createReceiveBuffers();
    const first = read(buffers, BUFFER_BYTES);
    buffers.recycle(first.subarray(100));
    expect(read(buffers, BUFFER_BYTES).buffer).not.toBe(first.buffer);
  });

  it('come back once, however often they are given back', () => {
    const buffers = createReceiveBuffers();
    const first = read(buffers, BUFFER_BYTES);
    buffers.recycle(first);
    buffers.recycle(first);
    const again = read(buffers, BUFFER_BYTES);
    expect(read(buffers, BUFFER_BYTES).buffer).not.toBe(again.buffer);
  });

  it('stay with the socket when little came, which gets memory of its own', () => {
    const buffers = createReceiveBuffers();
    const small = read(buffers, 1_000);
    expect(small.length).toBe(1_000);
    expect(small.buffer.byteLength).toBeLessThan(BUFFER_BYTES);
  });

  it('give what came in memory of at most twice its size, which comes back as well', () => {
    const buffers = createReceiveBuffers();
    for (const length of [8 * 1024, 20_000, 64 * 1024, 100_000, BUFFER_BYTES / 2]) {
      const first = read(buffers, length);
      expect(first.length).toBe(length);
      expect(first.buffer.byteLength).toBeLessThan(2 * length);
      buffers.recycle(first);
      expect(read(buffers, length).buffer).toBe(first.buffer);
    }
  });

  it('have what was received', () => {
    const buffers = createReceiveBuffers();
    for (const length of [10, 20_000, BUFFER_BYTES]) {
      expect(read(buffers, length, 7).equals(Buffer.alloc(length, 7))).toBe(true);
    }
  });

  it('take nothing that is not theirs', () => {
    const buffers = createReceiveBuffers();
    const foreign = Buffer.alloc(BUFFER_BYTES);
    buffers.recycle(foreign);
    expect(read(buffers, BUFFER_BYTES).buffer).not.toBe(foreign.buffer);
  });
});
