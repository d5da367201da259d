import type { Digest } from '../domain/digest.ts';
import { blobAnswer } from './blob-answer.ts';
import { type Answer, type Exchange, REUSABLE_FOR } from './exchange.ts';
import type { BlobReader, Services, StoredBlob } from './ports.ts';

/** Blobs up to this size are read whole: configs and small layers, which many nodes ask for at the same moment. */
const SMALL = 128 * 1024;

/** From the store. A small blob comes whole, so that the very same request can be answered from memory for a moment. */
export async function answerStored(
  services: Services,
  exchange: Exchange,
  digest: Digest,
  stored: StoredBlob,
): Promise<Answer> {
  services.uses.used(exchange.endpoint.name, 'blob', digest);
  const answer = blobAnswer(exchange, digest, stored.size, 'hit', (range) => stored.reader(range));
  if (answer.body.kind !== 'blob' || answer.status !== 200 || stored.size > SMALL) return answer;
  const bytes = await readAll(answer.body.reader, stored.size);
  return { ...answer, body: { kind: 'bytes', bytes }, reusableUntil: services.now() + REUSABLE_FOR };
}

async function readAll(reader: BlobReader, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      bytes.set(chunk, length);
      length += chunk.length;
    }
    return bytes;
  } finally {
    reader.close();
  }
}
