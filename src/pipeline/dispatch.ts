import { createShortMemory } from '../lib/short-memory.ts';
import { singleFlight } from '../lib/single-flight.ts';
import { createConvertImage } from './convert-image.ts';
import { deleteManifest } from './delete-manifest.ts';
import type { Answer, Exchange } from './exchange.ts';
import { getBlob, type StartingFills } from './get-blob.ts';
import { getList, isListRoute } from './get-list.ts';
import { getManifest } from './get-manifest.ts';
import { getReferrers, type Listing } from './get-referrers.ts';
import { passThrough, unsupportedMethod } from './pass-through.ts';
import { type PingAnswer, ping } from './ping.ts';
import type { Services } from './ports.ts';
import { pushManifest } from './push-manifest.ts';
import type { Resolved } from './resolve-manifest.ts';
import { answerableChallenge } from './token-challenge.ts';
import { createUploads, upload } from './upload.ts';

/** Answers one request; rejects with a RegistryError for what the edge has to explain. */
export type Dispatch = (exchange: Exchange) => Promise<Answer>;

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Callers whose last answer to `/v2/` is remembered. */
const MAX_PINGS = 1_000;

/** Chooses the use case. What several requests share (running questions, upload sessions) lives as long as the dispatcher. */
export function createDispatch(services: Services): Dispatch {
  const flight = singleFlight<Resolved>();
  const starting: StartingFills = new Set();
  const listings = singleFlight<Listing>();
  const uploads = createUploads();
  const pings = createShortMemory<PingAnswer>(MAX_PINGS);
  const convertImage = createConvertImage((exchange, route) => getBlob(services, starting, exchange, route));
  async function read(exchange: Exchange): Promise<Answer> {
    const { route } = exchange.request;
    if (route.kind === 'manifest') return getManifest(services, flight, convertImage, exchange, route);
    if (route.kind === 'blob') return getBlob(services, starting, exchange, route);
    if (route.kind === 'base') return ping(services, pings, exchange);
    if (route.kind === 'referrers') return getReferrers(services, listings, exchange, route);
    if (isListRoute(route)) return getList(services, exchange, route);
    return passThrough(services, exchange);
  }
  async function write(exchange: Exchange): Promise<Answer> {
    const { method, route } = exchange.request;
    if (route.kind === 'manifest' && method === 'PUT') return pushManifest(services, exchange, route);
    if (route.kind === 'manifest' && method === 'DELETE') return deleteManifest(services, exchange, route);
    return passThrough(services, exchange);
  }
  async function use(exchange: Exchange): Promise<Answer> {
    const { method, route } = exchange.request;
    if (!METHODS.has(method)) throw unsupportedMethod(method);
    if (route.kind === 'upload' || route.kind === 'upload-start') return upload(services, uploads, exchange);
    return method === 'GET' || method === 'HEAD' ? read(exchange) : write(exchange);
  }
  return async (exchange) => answerableChallenge(services, exchange, await use(exchange));
}
