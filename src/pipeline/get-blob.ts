import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { formatContentRange, ifRangeAllows, matchesEntityTag, parseRange } from '../domain/range.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { UpstreamRefusal } from '../domain/upstream-refusal.ts';
import { proveReadAccess, readHeaders, recordReadAccess } from './access.ts';
import { blobSource } from './blob-source.ts';
import { type Answer, type Exchange, NO_BODY, redirectsOf } from './exchange.ts';
import { headColdBlob } from './head-blob.ts';
import type { BlobReader, ByteRange, CacheStatus, Services } from './ports.ts';
import { relay, relayRefusal } from './relay.ts';
import { reportRedirect } from './report.ts';
import { verifiedStream } from './verified-stream.ts';

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
    if (stored !== undefined) return blobAnswer(exchange, digest, stored.size, 'hit', (range) => stored.reader(range));
    return await getCold(services, starting, exchange, route);
  } finally {
    stored?.close();
  }
}

/** The registry's refusal when this caller may not read the blob. Rejects when nobody can tell. */
async function refusalOf(
  services: Services,
  exchange: Exchange,
  { repository, digest }: BlobRoute,
): Promise<Answer | undefined> {
  const access = await proveReadAccess(services, exchange, repository, 'blob', digest);
  if (access.outcome === 'allowed') return undefined;
  if (access.outcome === 'unreachable') throw access.error;
  const { status, headers } = access;
  return relayRefusal(services, exchange, exchange.request, { status, headers, text: '' });
}

/** Starts or joins the download, unless only a part was asked for that is not at the start: that goes upstream as it is. */
async function getCold(
  services: Services,
  starting: StartingFills,
  exchange: Exchange,
  route: BlobRoute,
): Promise<Answer> {
  const { repository, digest } = route;
  const range = headerValue(exchange.request.headers, 'Range');
  if (range !== undefined && !/^bytes=0-$/.test(range.trim())) return getPart(services, exchange, route, range);
  if (redirectsOf(exchange.endpoint) === 'pass') return getPart(services, exchange, route, range);
  const source = blobSource(exchange, route);
  let asked = false;
  const fill = services.blobs.startFill(digest, (signal, from) => {
    asked = true;
    return source(signal, from);
  });
  const key = startKey(exchange, route);
  const mine = starting.has(key);
  starting.add(key);
  try {
    const { size } = await fill.started;
    // Somebody else's download, or a blob that was stored a moment ago, says nothing about this caller.
    const refusal = asked ? undefined : await refusalOf(services, exchange, route);
    if (refusal !== undefined) return refusal;
    if (asked) recordReadAccess(services, exchange, repository, 'blob', digest);
    return { ...blobAnswer(exchange, digest, size, 'miss', (part) => fill.reader(part)), stored: true };
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error;
    if (!asked && !mine) {
      // The registry refused somebody else.
      starting.delete(key);
      return await getCold(services, starting, exchange, route);
    }
    const { status, headers, body } = error.response;
    return relayRefusal(services, exchange, exchange.request, { status, headers, text: Buffer.from(body).toString() });
  } finally {
    starting.delete(key);
  }
}

function startKey(exchange: Exchange, route: BlobRoute): string {
  return JSON.stringify([exchange.endpoint.upstream.name, route.repository, route.digest, exchange.caller.identity]);
}

/** A part of a cold blob is passed on as it comes and never stored, because nobody could verify it. */
async function getPart(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  range: string | undefined,
): Promise<Answer> {
  const wanted: HeaderList = range === undefined ? [] : [['Range', range]];
  const response = await exchange.endpoint.upstream.request({
    method: 'GET',
    path: formatRoute(route),
    headers: [...readHeaders(exchange.request.headers), ...wanted],
    redirects: redirectsOf(exchange.endpoint),
    signal: exchange.signal,
  });
  reportRedirect(exchange, response);
  // A whole blob can be verified on its way, unless it is compressed.
  const verifiable = response.status === 200 && headerValue(response.headers, 'Content-Encoding') === undefined;
  const body = verifiable ? verifiedStream(response.body, route.digest) : response.body;
  return relay(services, exchange, exchange.request, { ...response, body });
}

function blobAnswer(
  exchange: Exchange,
  digest: Digest,
  size: number | undefined,
  cache: CacheStatus,
  read: (range?: ByteRange) => BlobReader,
): Answer {
  const { method, headers } = exchange.request;
  const common: HeaderList = [
    ['Content-Type', 'application/octet-stream'],
    ['Docker-Content-Digest', digest],
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['ETag', `"${digest}"`],
    ['Cache-Control', 'max-age=31536000, immutable'],
    ['Accept-Ranges', 'bytes'],
  ];
  if (matchesEntityTag(headerValue(headers, 'If-None-Match'), digest))
    return { status: 304, headers: common, body: NO_BODY, cache };
  const ranged = size !== undefined && method === 'GET' && ifRangeAllows(headerValue(headers, 'If-Range'), digest);
  const range = ranged ? parseRange(headerValue(headers, 'Range'), size) : undefined;
  if (range === 'unsatisfiable') {
    const unsatisfied: HeaderList = [...common, ['Content-Range', `bytes */${size}`], ['Content-Length', '0']];
    return { status: 416, headers: unsatisfied, body: NO_BODY, cache };
  }
  if (range !== undefined && size !== undefined) {
    const length: HeaderList = [
      ['Content-Length', String(range.end - range.start + 1)],
      ['Content-Range', formatContentRange(range, size)],
    ];
    return { status: 206, headers: [...common, ...length], body: { kind: 'blob', reader: read(range) }, cache };
  }
  const length: HeaderList = size === undefined ? [] : [['Content-Length', String(size)]];
  const body = method === 'HEAD' ? NO_BODY : ({ kind: 'blob', reader: read() } as const);
  return { status: 200, headers: [...common, ...length], body, cache };
}
