import { readerClosed } from './file-reader.ts';
import type { FillBody } from './fill-body.ts';
import type { Lent } from './recent-bytes.ts';
import type { BlobReader, ByteRange } from './types.ts';

/** A cursor over a running fill: from memory where the download is, from the file behind it. */
export function createFillReader(body: FillBody, range?: ByteRange): BlobReader {
  const { trail } = body;
  const end = range && range.end + 1;
  /** What was taken but is withheld until the blob is verified. */
  const held: Uint8Array[] = [];
  let position = range?.start ?? 0;
  let stretch: BlobReader | undefined;
  /** What was handed out last, if it came from memory. */
  let lent: Lent | undefined;
  let isClosed = false;
  // With all of its range taken it needs nothing any more, only the word that it was right.
  const detach = body.attach(() => (position === end ? Number.POSITIVE_INFINITY : position));

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    stretch?.close();
    // It may still be on its way to a socket.
    lent?.giveUp();
    lent = undefined;
    detach();
  }

  function check(): void {
    if (isClosed) throw readerClosed();
    body.check();
  }

  /**
   * Position up to which to take bytes now. The end of a range is taken although it is withheld: once the disk failed, the
   * download waits for the slowest reader, and this one would wait for the download.
   */
  function takeLimit(): number {
    const limit = body.limit(end);
    return position >= limit && end !== undefined && end <= trail.received ? end : limit;
  }

  async function take(limit: number): Promise<Uint8Array | undefined> {
    for (;;) {
      lent?.giveBack();
      lent = undefined;
      const read = await stretch?.next();
      if (read === undefined) stretch = undefined;
      check();
      if (read === undefined) lent = trail.recent(position, limit);
      const chunk = read ?? lent?.bytes;
      if (chunk !== undefined) {
        position += chunk.length;
        trail.readerMoved();
        return chunk;
      }
      if (position >= limit) return undefined;
      stretch = trail.fromFile(position, limit);
    }
  }

  function isAtEnd(): boolean {
    if (!body.isVerified || position < body.limit(end)) return false;
    if (end !== undefined && end > trail.received) throw new Error(`the blob ends at byte ${trail.received}`);
    return true;
  }

  async function read(): Promise<Uint8Array | undefined> {
    for (;;) {
      check();
      // Asked for before looking, so that what changes meanwhile is not missed.
      const change = body.changed();
      if (body.isVerified && held.length > 0) return held.shift();
      const isWithheld = position >= body.limit(end);
      const chunk = await take(takeLimit());
      if (chunk !== undefined && !isWithheld) return chunk;
      // A copy, because the next chunk may come in the same buffer.
      if (chunk !== undefined) held.push(Buffer.from(chunk));
      else if (!isAtEnd()) await change;
      else if (held.length === 0) return undefined;
    }
  }

  async function next(): Promise<Uint8Array | undefined> {
    try {
      const chunk = await read();
      if (chunk === undefined) close();
      return chunk;
    } catch (error) {
      close();
      throw error;
    }
  }

  return { next, close };
}
