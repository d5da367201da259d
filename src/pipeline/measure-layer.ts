import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import type { LayerContent } from '../domain/convert-schema1.ts';
import { parseDigest } from '../domain/digest.ts';
import type { AnswerBody } from './exchange.ts';

/** No layer of the time of schema 1 came near it; what does is made to fill disks. */
const MAX_UNCOMPRESSED = 16 * 1024 ** 3;

/** Reads a layer to its end and computes what only its bytes tell. Rejects when it breaks off, is damaged or grows too large. */
export async function measureLayer(body: AnswerBody, limit = MAX_UNCOMPRESSED): Promise<LayerContent> {
  const hash = createHash('sha256');
  let size = 0;
  let uncompressed = 0;
  const count = (chunk: Uint8Array) => {
    uncompressed += chunk.length;
    if (uncompressed > limit) throw new Error(`the layer is larger than ${limit} bytes when it is unpacked`);
    hash.update(chunk);
  };
  let unpack: ReturnType<typeof unpacker> | undefined;
  let gzip = false;
  try {
    for await (const chunk of chunksOf(body)) {
      if (size === 0) gzip = chunk[0] === 0x1f;
      if (size === 0 && gzip) unpack = unpacker(count);
      size += chunk.length;
      if (unpack === undefined) count(chunk);
      else await unpack.write(chunk);
    }
    await unpack?.end();
  } finally {
    unpack?.close();
  }
  const diffId = parseDigest(`sha256:${hash.digest('hex')}`);
  if (diffId === undefined) throw new Error('a hash is no digest');
  return { size, gzip, diffId };
}

/** Takes one chunk after the other, and each only when the one before was used up. */
function unpacker(consume: (chunk: Uint8Array) => void) {
  const gunzip = createGunzip();
  const failed = new Promise<never>((_, reject) => {
    gunzip.once('error', reject);
    gunzip.on('data', (chunk: Uint8Array) => {
      try {
        consume(chunk);
      } catch (error) {
        reject(error);
      }
    });
  });
  failed.catch(() => undefined);
  const ended = new Promise<void>((resolve) => gunzip.once('end', () => resolve()));
  return {
    write: (chunk: Uint8Array) =>
      Promise.race([failed, new Promise<void>((done) => gunzip.write(chunk, () => done()))]),
    end: () => {
      gunzip.end();
      return Promise.race([failed, ended]);
    },
    close: () => gunzip.destroy(),
  };
}

async function* chunksOf(body: AnswerBody): AsyncIterable<Uint8Array> {
  switch (body.kind) {
    case 'none':
      return;
    case 'bytes':
      yield body.bytes;
      return;
    case 'stream':
      yield* body.stream;
      return;
    case 'blob':
      try {
        for (let chunk = await body.reader.next(); chunk !== undefined; chunk = await body.reader.next()) yield chunk;
      } finally {
        body.reader.close();
      }
  }
}
