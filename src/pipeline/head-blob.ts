import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { confirms, readHeaders, recordReadAccess } from './access.ts';
import { type Answer, type Exchange, redirectsOf } from './exchange.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { reportRedirect, reportRepair } from './report.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;

/** HEAD of a blob that is not stored: the registry's answer, with a length that can be relied upon. */
export async function headColdBlob(services: Services, exchange: Exchange, route: BlobRoute): Promise<Answer> {
  const response = await exchange.endpoint.upstream.request({
    method: 'HEAD',
    path: formatRoute(route),
    headers: readHeaders(exchange.request.headers),
    redirects: redirectsOf(exchange.endpoint),
  });
  if (response.status === 200 && confirms(response.headers, route.digest))
    recordReadAccess(services, exchange, route.repository, 'blob', route.digest);
  reportRedirect(exchange, response);
  const wrong = response.status === 200 && !statesLength(response.headers, route.digest);
  const headers = wrong ? await withLength(exchange, route, response.headers) : response.headers;
  return { ...(await relay(services, exchange, exchange.request, { ...response, headers })), cache: 'miss' };
}

/** A length of 0 is right for the blob without content only, and that of compressed bytes for none. */
function statesLength(headers: HeaderList, digest: Digest): boolean {
  if (headerValue(headers, 'Content-Encoding') !== undefined) return false;
  const length = headerValue(headers, 'Content-Length');
  return length !== undefined && (length !== '0' || digestOf(new Uint8Array(), algorithmOf(digest)) === digest);
}

/** A part of one byte tells the length of the whole (RFC 9110, section 14.4). Where it does not, none is stated. */
async function withLength(exchange: Exchange, route: BlobRoute, headers: HeaderList): Promise<HeaderList> {
  reportRepair(exchange, 'head-length', 'learnt the length of the blob from a part of it');
  if (exchange.endpoint.fixes.mode('head-length') !== 'on') return headers;
  const asked = exchange.endpoint.upstream.request({
    method: 'GET',
    path: formatRoute(route),
    headers: [...readHeaders(exchange.request.headers), ['Range', 'bytes=0-0']],
    signal: exchange.signal,
  });
  const answer = await asked.catch(() => undefined);
  answer?.body.destroy();
  const length = answer === undefined ? undefined : lengthIn(answer.status, answer.headers);
  const plain = withoutHeaders(headers, 'Content-Length', 'Content-Encoding');
  return length === undefined ? plain : withHeader(plain, 'Content-Length', length);
}

function lengthIn(status: number, headers: HeaderList): string | undefined {
  if (headerValue(headers, 'Content-Encoding') !== undefined) return undefined;
  if (status === 206) return /^bytes 0-0\/(\d+)$/.exec(headerValue(headers, 'Content-Range') ?? '')?.[1];
  return status === 200 ? headerValue(headers, 'Content-Length') : undefined;
}
