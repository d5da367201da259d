import type { RegistryError } from '../domain/errors.ts';
import type { Route } from '../domain/route.ts';
import { UpstreamRefusal } from '../domain/upstream-refusal.ts';
import { proveReadAccess, recordReadAccess } from './access.ts';
import { getPart, getPartOfFill, rangeOfPart } from './blob-part.ts';
import { blobSource } from './blob-source.ts';
import { denialOf } from './denied-content.ts';
import { type Answer, type Exchange, fillShareOf, redirectsOf } from './exchange.ts';
import { answerFromFill } from './fill-answer.ts';
import { headColdBlob } from './head-blob.ts';
import { serveKeptConfig } from './kept-config.ts';
import type { FillSource, Services } from './ports.ts';
import { relayRefusal } from './relay.ts';
import { answerStored } from './stored-blob.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;

/** Downloads that were started and not answered yet, by who asked: their answer is the proof of access for the same caller. */
export type StartingFills = Set<string>;

/**
 * GET and HEAD of a blob. From the store once the caller may read it; otherwise by the one download that all its readers
 * share, which hands bytes on as they arrive and its last ones only after the digest was verified.
 */
export async function getBlob(
  services: Services,
  starting: StartingFills,
  exchange: Exchange,
  route: BlobRoute,
): Promise<Answer> {
  const { digest } = route;
  const denial = denialOf(exchange, route.repository, { digests: [digest] });
  if (denial !== undefined) return refuse(services, exchange, route, denial);
  const kept = await serveKeptConfig(services, exchange, route);
  if (kept !== undefined) return kept;
  const stored = await services.blobs.open(digest);
  try {
    if (stored === undefined && exchange.request.method === 'HEAD')
      return await headColdBlob(services, exchange, route);
    const mine = stored === undefined && starting.has(startKey(exchange, route));
    if (mine || (stored === undefined && services.blobs.fill(digest) === undefined)) {
      return await getCold(services, starting, exchange, route);
    }
    const refusal = await refusalOf(services, exchange, route);
    if (refusal !== undefined) return refusal;
    if (stored !== undefined) return await answerStored(services, exchange, digest, stored);
    const part = await getPartOfFill(services, exchange, route);
    return part ?? (await getCold(services, starting, exchange, route));
  } finally {
    stored?.close();
  }
}

/** Only who may read a blob learns that it is denied; all others get the registry's words. */
async function refuse(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  denial: RegistryError,
): Promise<Answer> {
  const refusal = await refusalOf(services, exchange, route);
  if (refusal === undefined) throw denial;
  return refusal;
}

/**
 * The registry's refusal when this caller may not read the blob, in the words that it has for a blob that is not cached, so
 * that nobody learns what is. Rejects when nobody can tell.
 */
async function refusalOf(services: Services, exchange: Exchange, route: BlobRoute): Promise<Answer | undefined> {
  const access = await proveReadAccess(services, exchange, route.repository, 'blob', route.digest);
  if (access.outcome === 'allowed') return undefined;
  if (access.outcome === 'unreachable') throw access.error;
  if (exchange.request.method === 'HEAD') return headColdBlob(services, exchange, route);
  return getPart(services, exchange, route, rangeOfPart(exchange, route.digest));
}

/** Starts or joins the download, unless only a part was asked for that is not at the start: that goes upstream as it is. */
async function getCold(
  services: Services,
  starting: StartingFills,
  exchange: Exchange,
  route: BlobRoute,
): Promise<Answer> {
  const { repository, digest } = route;
  const range = rangeOfPart(exchange, digest);
  if (range !== undefined) return getPart(services, exchange, route, range);
  if (redirectsOf(exchange.endpoint) !== 'follow') return getPart(services, exchange, route, range);
  const source = blobSource(services, exchange, route);
  let asked = false;
  const ask: FillSource = (signal, from) => {
    asked = true;
    return source(signal, from);
  };
  const fill = services.blobs.startFill(digest, ask, exchange.endpoint.upstream.name, fillShareOf(exchange));
  const key = startKey(exchange, route);
  const mine = starting.has(key);
  starting.add(key);
  try {
    const { size } = await fill.started;
    // Somebody else's download, or a blob that was stored a moment ago, says nothing about this caller.
    const refusal = asked ? undefined : await refusalOf(services, exchange, route);
    if (refusal !== undefined) return refusal;
    // It may have ended meanwhile, and what it holds is kept for a few seconds only.
    if (!asked && services.blobs.fill(digest) !== fill) return await getBlob(services, starting, exchange, route);
    if (asked) recordReadAccess(services, exchange, repository, 'blob', digest);
    return { ...answerFromFill(services, exchange, digest, size, fill), stored: true };
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error;
    if (!asked && !mine) {
      // The registry refused somebody else.
      starting.delete(key);
      return await getCold(services, starting, exchange, route);
    }
    const { status, headers, body } = error.response;
    const refusal = { status, headers, text: Buffer.from(body).toString() };
    return { ...relayRefusal(services, exchange, exchange.request, refusal), cache: 'bypass' };
  } finally {
    starting.delete(key);
  }
}

function startKey(exchange: Exchange, route: BlobRoute): string {
  return JSON.stringify([exchange.endpoint.upstream.name, route.repository, route.digest, exchange.caller.identity]);
}
