import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { FIRST_BYTE, headOfFirstByte } from '../domain/first-byte.ts';
import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { confirms, readHeaders, recordReadAccess } from './access.ts';
import { askHead } from './ask-head.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { isManifestByHead, manifestIsNoBlob } from './manifest-as-blob.ts';
import type { Services } from './ports.ts';
import { relayHead, relayRefusal } from './relay.ts';
import { reportRedirect, reportRepair } from './report.ts';

type BlobRoute = Extract<Route, { kind: 'blob' }>;

/** HEAD of a blob that is not stored: the registry's answer, with a length that can be relied upon. */
export async function headColdBlob(services: Services, exchange: Exchange, route: BlobRoute): Promise<Answer> {
  const question = { kind: 'blob', path: formatRoute(route), headers: readHeaders(exchange.request.headers) } as const;
  const response = await askHead(services, exchange, question);
  reportRedirect(exchange, response);
  const { status } = response;
  if (status >= 400) {
    const { headers } = response;
    return { ...relayRefusal(services, exchange, exchange.request, { status, headers, text: '' }), cache: 'miss' };
  }
  if (status === 200 && (await isManifestByHead(services, exchange, route, response.headers))) throw manifestIsNoBlob();
  if (status === 200 && confirms(response.headers, route.digest))
    recordReadAccess(services, exchange, route.repository, 'blob', route.digest);
  const wrong = status === 200 && !statesLength(response.headers, route.digest);
  const headers = wrong ? await withLength(services, exchange, route, response.headers) : response.headers;
  return { ...relayHead(services, exchange, exchange.request, { status, headers }), body: NO_BODY, cache: 'miss' };
}

/** A length of 0 is right for the blob without content only, and that of compressed bytes for none. */
function statesLength(headers: HeaderList, digest: Digest): boolean {
  if (headerValue(headers, 'Content-Encoding') !== undefined) return false;
  const length = headerValue(headers, 'Content-Length');
  return length !== undefined && (length !== '0' || digestOf(new Uint8Array(), algorithmOf(digest)) === digest);
}

/** The length that manifests name for the blob, or that a part of it tells. Where neither does, none is stated. */
async function withLength(
  services: Services,
  exchange: Exchange,
  route: BlobRoute,
  headers: HeaderList,
): Promise<HeaderList> {
  const { fixes, upstream } = exchange.endpoint;
  reportRepair(exchange, 'head-length', 'learnt the length of the blob elsewhere');
  if (fixes.mode('head-length') !== 'on') return headers;
  const plain = withoutHeaders(headers, 'Content-Length', 'Content-Encoding');
  const named = services.descriptors.blob(upstream.name, route.digest)?.size;
  const length = named === undefined ? await lengthOfPart(exchange, route) : String(named);
  return length === undefined ? plain : withHeader(plain, 'Content-Length', length);
}

async function lengthOfPart(exchange: Exchange, route: BlobRoute): Promise<string | undefined> {
  const asked = exchange.endpoint.upstream.request({
    method: 'GET',
    path: formatRoute(route),
    headers: [...readHeaders(exchange.request.headers), FIRST_BYTE],
    signal: exchange.signal,
  });
  const answer = await asked.catch(() => undefined);
  if (answer === undefined) return undefined;
  answer.body.destroy();
  const { status, headers } = headOfFirstByte(answer);
  if (status !== 200 || headerValue(headers, 'Content-Encoding') !== undefined) return undefined;
  return headerValue(headers, 'Content-Length');
}
