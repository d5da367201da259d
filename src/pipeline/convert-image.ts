import {
  type ConvertedImage,
  convertSchema1,
  type LayerContent,
  layersOf,
  readSchema1,
} from '../domain/convert-schema1.ts';
import type { Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';
import { singleFlight } from '../lib/single-flight.ts';
import { createSlots } from '../lib/slots.ts';
import { readHeaders } from './access.ts';
import type { Answer, Exchange } from './exchange.ts';
import { measureLayer } from './measure-layer.ts';
import type { CanonicalManifest } from './ports.ts';

export type Conversion =
  | { readonly kind: 'converted'; readonly image: ConvertedImage }
  | { readonly kind: 'declined'; readonly reason: string };

/** Converts a schema 1 image, whose layers it reads with the caller's credentials. */
export type ConvertImage = (
  exchange: Exchange,
  repository: RepositoryName,
  manifest: CanonicalManifest,
) => Promise<Conversion>;

type ReadBlob = (exchange: Exchange, route: Extract<Route, { kind: 'blob' }>) => Promise<Answer>;

/** Unpacking keeps a core busy; the others serve. */
const AT_ONCE = 2;

/** One conversion at a time for all who ask the same with the same credentials, and few in all. */
export function createConvertImage(readBlob: ReadBlob): ConvertImage {
  const flight = singleFlight<Conversion>();
  const slots = createSlots(AT_ONCE);
  return (exchange, repository, manifest) => {
    const { endpoint, caller } = exchange;
    const key = JSON.stringify([endpoint.upstream.name, repository, manifest.digest, caller.identity]);
    return flight(key, async () => {
      const release = await slots.acquire();
      try {
        return await convert(readBlob, exchange, repository, manifest);
      } finally {
        release();
      }
    });
  };
}

async function convert(
  readBlob: ReadBlob,
  exchange: Exchange,
  repository: RepositoryName,
  { bytes }: CanonicalManifest,
): Promise<Conversion> {
  const image = readSchema1(bytes);
  if (image === undefined) return declined('the schema 1 manifest is not complete');
  const contents = new Map<Digest, LayerContent>();
  for (const digest of new Set(layersOf(image))) {
    const route = { kind: 'blob', repository, digest } as const;
    try {
      const answer = await readBlob(layerExchange(exchange, route), route);
      const content = await measureLayer(answer.body);
      if (answer.status !== 200) return declined(`the registry answered ${answer.status} for the layer ${digest}`);
      contents.set(digest, content);
    } catch (error) {
      return declined(`the layer ${digest} could not be read: ${(error as Error).message}`);
    }
  }
  const converted = convertSchema1(image, contents);
  return converted === undefined ? declined('a layer is missing') : { kind: 'converted', image: converted };
}

/** A GET of the whole layer by the same caller, whatever of the manifest was asked for. */
function layerExchange(exchange: Exchange, route: Extract<Route, { kind: 'blob' }>): Exchange {
  const headers = readHeaders(exchange.request.headers);
  return { ...exchange, request: { ...exchange.request, method: 'GET', route, query: '', headers } };
}

function declined(reason: string): Conversion {
  return { kind: 'declined', reason: `left alone: ${reason}` };
}
