import type { Route } from '../domain/route.ts';
import { proveReadAccess } from './access.ts';
import { blobAnswer } from './blob-answer.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { BlobReader, ByteRange, Services } from './ports.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;

/**
 * Answers for the config of an image that manifix converted, which no registry has. It needs the right to the original.
 * Undefined when the blob is not such a config, or not for this caller: then the registry has the word, as for any other.
 */
export async function serveKeptConfig(
  services: Services,
  exchange: Exchange,
  { repository, digest }: BlobRoute,
): Promise<Answer | undefined> {
  const kept = services.facts.keptConfig(exchange.endpoint.upstream.name, repository, digest);
  if (kept === undefined) return undefined;
  const access = await proveReadAccess(services, exchange, repository, 'manifest', kept.original);
  if (access.outcome === 'unreachable') throw access.error;
  if (access.outcome === 'refused') return undefined;
  return blobAnswer(exchange, digest, kept.bytes.length, 'hit', (range) => readerOf(kept.bytes, range));
}

function readerOf(bytes: Uint8Array, range?: ByteRange): BlobReader {
  let rest: Uint8Array | undefined = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
  return {
    async next() {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
    close: () => undefined,
  };
}
