import type { Digest } from '../domain/digest.ts';
import { blobAnswer } from './blob-answer.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Fill, Services } from './ports.ts';

/** From a running download. As soon as the blob is stored, the endpoint is one of those that use it. */
export function answerFromFill(
  services: Services,
  exchange: Exchange,
  digest: Digest,
  size: number | undefined,
  fill: Fill,
): Answer {
  const noteUse = (isStored: boolean) => {
    if (isStored) services.uses.used(exchange.endpoint.name, 'blob', digest);
  };
  // Whoever reads it hears of its end.
  fill.finished.then(noteUse, () => undefined);
  return blobAnswer(exchange, digest, size, 'miss', (part) => fill.reader(part));
}
