import type { Socket } from 'node:net';

/** Reads a socket in the pieces a protocol asks for, and leaves the rest where it is. */
export interface ByteReader {
  /** The bytes before the next `separator`, which is used up; undefined when the peer ends before it. */
  readUntil(separator: string): Promise<Buffer | undefined>;
  /** At least one and at most `limit` bytes; undefined at the end. */
  readSome(limit: number): Promise<Buffer | undefined>;
}

// A peer that is not read must feel it: what waits here stays small.
const HIGH_WATER_MARK = 64 * 1024;

/** Takes over the reading side of a socket. Errors of the socket count as its end. */
export function byteReader(socket: Socket): ByteReader {
  let pending: Buffer = Buffer.alloc(0);
  let ended = false;
  let wake = () => {};

  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    if (pending.length >= HIGH_WATER_MARK) socket.pause();
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  socket.once('end', end);
  socket.once('close', end);

  async function more(): Promise<boolean> {
    if (ended) return false;
    const changed = Promise.withResolvers<void>();
    wake = changed.resolve;
    socket.resume();
    await changed.promise;
    return true;
  }

  function take(length: number): Buffer {
    const bytes = pending.subarray(0, length);
    pending = pending.subarray(length);
    return bytes;
  }

  async function readUntil(separator: string): Promise<Buffer | undefined> {
    let position = pending.indexOf(separator);
    while (position === -1) {
      if (!(await more())) return undefined;
      position = pending.indexOf(separator);
    }
    const line = take(position);
    take(separator.length);
    return line;
  }

  async function readSome(limit: number): Promise<Buffer | undefined> {
    while (pending.length === 0) {
      if (!(await more())) return undefined;
    }
    return take(limit);
  }

  return { readUntil, readSome };
}
