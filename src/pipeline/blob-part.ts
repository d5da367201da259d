import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { ifRangeAllows, parseRange } from '../domain/range.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { readHeaders, recordReadAccess } from './access.ts';
import { blobSource } from './blob-source.ts';
import { type Answer, type Exchange, fillShareOf, redirectsOf } from './exchange.ts';
import { answerFromFill } from './fill-answer.ts';
import type { Fill, FillSource, Services, UpstreamResponse } from './ports.ts';
import { relay } from './relay.ts';
import { reportRedirect, reportRepair } from './report.ts';
import { verifiedStream } from './verified-stream.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;

/** The Range, when it asks for one part; several, a malformed one and one that If-Range forbids ask for the whole. */
export function rangeOfPart({ request: { headers } }: Exchange, digest: Digest): string | undefined {
  const range = headerValue(headers, 'Range');
  const part = parseRange(range, Number.MAX_SAFE_INTEGER);
  if (part === undefined || !ifRangeAllows(headerValue(headers, 'If-Range'), digest)) return undefined;
  const isWhole = part !== 'unsatisfiable' && part.end - part.start === Number.MAX_SAFE_INTEGER - 1;
  return isWhole ? undefined : range;
}

/** How far in front of a running download a part may begin to be worth waiting for. */
const AHEAD = 32 * 1024 * 1024;

/** A part from the running download, when that gets there soon; undefined when the registry is the quicker way. */
export async function getPartOfFill(
  services: Services,
  exchange: Exchange,
  { digest }: BlobRoute,
): Promise<Answer | undefined> {
  const fill = services.blobs.fill(digest);
  const wanted = headerValue(exchange.request.headers, 'Range');
  if (fill === undefined || wanted === undefined) return undefined;
  const size = await fill.started.then((head) => head.size).catch(() => undefined);
  if (size === undefined || !isNear(fill, size, wanted)) return undefined;
  return answerFromFill(services, exchange, digest, size, fill);
}

/** The end of any part waits for the verification of the whole, so that only what reaches the end is served early. */
function isNear(fill: Fill, size: number, wanted: string): boolean {
  const range = parseRange(wanted, size);
  if (range === undefined || range === 'unsatisfiable' || size - fill.received <= AHEAD) return true;
  return range.end === size - 1 && range.start <= fill.received + AHEAD;
}

/**
 * A part of a cold blob is passed on as it comes and never stored, because nobody could verify it. When the registry sends
 * the whole instead, that becomes the one download for all, and the part is cut out of it.
 */
export async function getPart(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  range: string | undefined,
): Promise<Answer> {
  const { endpoint } = exchange;
  const wanted: HeaderList = range === undefined ? [] : [['Range', range]];
  const waiting = whileWaiting(exchange.signal);
  const response = await endpoint.upstream
    .request({
      method: 'GET',
      path: formatRoute(route),
      headers: [...readHeaders(exchange.request.headers), ...wanted],
      redirects: redirectsOf(endpoint),
      signal: waiting.signal,
    })
    .finally(waiting.over);
  reportRedirect(exchange, response);
  // A whole blob can be verified on its way, unless it is compressed.
  const isWhole = response.status === 200 && headerValue(response.headers, 'Content-Encoding') === undefined;
  if (isWhole && range !== undefined) {
    reportRepair(exchange, 'range-ignored', 'cut the part out of the whole that the registry sent');
    if (endpoint.fixes.mode('range-ignored') === 'on') return partOfWhole(services, exchange, route, response);
  }
  const body = isWhole ? verifiedStream(response.body, route.digest) : response.body;
  return relay(services, exchange, exchange.request, { ...response, body });
}

/** A signal that aborts with another one until the answer is in; what is downloaded then may be for others, too. */
function whileWaiting(signal: AbortSignal): { readonly signal: AbortSignal; over(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return { signal: controller.signal, over: () => signal.removeEventListener('abort', abort) };
}

async function partOfWhole(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  response: UpstreamResponse,
): Promise<Answer> {
  const again = blobSource(services, exchange, route);
  let used = false;
  const source: FillSource = async (signal, from) => {
    if (used) return again(signal, from);
    used = true;
    signal.addEventListener('abort', () => response.body.destroy(), { once: true });
    return response;
  };
  const fill = services.blobs.startFill(route.digest, source, exchange.endpoint.upstream.name, fillShareOf(exchange));
  const { size } = await fill.started;
  // Somebody else was quicker.
  if (!used) response.body.destroy();
  recordReadAccess(services, exchange, route.repository, 'blob', route.digest);
  return { ...answerFromFill(services, exchange, route.digest, size, fill), stored: true };
}
