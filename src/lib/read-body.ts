import { PassThrough, pipeline, type Readable } from 'node:stream';

interface Start {
  readonly chunks: readonly Uint8Array[];
  /** False when more than the limit was read; the rest is still in the stream. */
  readonly whole: boolean;
}

/**
 * Reads a body to its end, up to `maxBytes`. A longer one is destroyed; with `discard` the rest flows away unread instead,
 * because destroying a server's incoming request would take the connection from under the answer.
 * @throws the stream's own error when the body is cut off
 */
export async function readBody(
  stream: Readable,
  maxBytes: number,
  whenOver: 'destroy' | 'discard' = 'destroy',
): Promise<Uint8Array | 'too-large'> {
  const { chunks, whole } = await readStart(stream, maxBytes);
  if (whole) return Buffer.concat(chunks);
  if (whenOver === 'destroy') stream.destroy();
  else stream.on('error', () => {}).resume();
  return 'too-large';
}

/**
 * Reads a body up to `maxBytes`: the whole of a shorter one, or, when there is more, a stream that yields what was read and
 * then the rest. That stream fails when the body does, and destroying it destroys the body.
 * @throws the stream's own error when the body is cut off before the limit
 */
export async function readUpTo(stream: Readable, maxBytes: number): Promise<Uint8Array | Readable> {
  const { chunks, whole } = await readStart(stream, maxBytes);
  if (whole) return Buffer.concat(chunks);
  const replay = new PassThrough();
  for (const chunk of chunks) replay.write(chunk);
  // The reader of the replay learns of every error; the callback has nothing to add.
  return pipeline(stream, replay, () => {});
}

async function readStart(stream: Readable, maxBytes: number): Promise<Start> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).byteLength;
    if (size > maxBytes) return { chunks, whole: false };
  }
  return { chunks, whole: true };
}
