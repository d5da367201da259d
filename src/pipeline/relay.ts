import type { Readable } from 'node:stream';
import { parseErrors, RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { RequestView, ResponseView } from '../fixes/fix.ts';
import type { ResponseOutcome } from '../fixes/run.ts';
import { endToEndHeaders } from '../lib/hop-by-hop.ts';
import { readUpTo } from '../lib/read-body.ts';
import { type Answer, type AnswerBody, type Exchange, NO_BODY } from './exchange.ts';
import type { Refusal, Services } from './ports.ts';
import { report } from './report.ts';
import { sealLocation } from './sealed-location.ts';

/** Error bodies longer than this are not read for explanations. */
const MAX_ERROR_BODY = 64 * 1024;

type Received = ResponseView['received'];

/** Reads an unwanted answer; whatever lies beyond 64 KiB is dropped. */
export async function readRefusal(response: { status: number; headers: HeaderList; body: Readable }): Promise<Refusal> {
  const { status, headers } = response;
  const body = await readUpTo(response.body, MAX_ERROR_BODY).catch(() => new Uint8Array());
  if (body instanceof Uint8Array) return { status, headers, text: Buffer.from(body).toString() };
  body.destroy();
  return { status, headers, text: '' };
}

/**
 * Passes a refusal on, with its errors in the OCI form and explained as far as the endpoint's fixes do.
 * @throws RegistryError for a status of success: no error is to be explained, and what came was not verified
 */
export function relayRefusal(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  refusal: Refusal,
  received?: Received,
): Answer {
  if (isSuccess(refusal.status)) throw oddSuccess(refusal.status);
  const bytes = Buffer.from(refusal.text);
  const errors = parseErrors(bytes);
  const outcome = exchange.endpoint.fixes.response({
    ...viewOf(services, exchange, sent, refusal.status, refusal.headers, received),
    text: refusal.text,
    ...(errors === undefined ? {} : { errors }),
  });
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  const body =
    outcome.errors === undefined || outcome.errors === errors
      ? bytes
      : Buffer.from(JSON.stringify({ errors: outcome.errors }));
  // Without a body, what HEAD says of it is the registry's to know.
  if (exchange.request.method === 'HEAD') return { status: outcome.status, headers: outcome.headers, body: NO_BODY };
  return { status: outcome.status, headers: errorHeaders(outcome, body), body: { kind: 'bytes', bytes: body } };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** 203 comes from proxies that changed the content (RFC 9110, section 15.3.4), 206 without a Range from broken caches. */
function oddSuccess(status: number): RegistryError {
  return new RegistryError('UNKNOWN', {
    status: 502,
    message: `the registry answered ${status}, which is not an answer to this request`,
    explanation:
      `A status of success that no registry gives here (${status}) means that something between manifix and the registry ` +
      'answered, or changed the answer. Its content was not passed on.',
    fix: 'digest-enforcement',
  });
}

/** Passes an answer of the registry on; its body streams, that of an error is read first. */
export async function relay(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  response: { status: number; headers: HeaderList; body: Readable },
  received?: Received,
): Promise<Answer> {
  if (response.status >= 400) {
    return { ...relayRefusal(services, exchange, sent, await readRefusal(response), received), cache: 'bypass' };
  }
  try {
    const { status, headers } = relayHead(services, exchange, sent, response, received);
    return { status, headers, body: streamed(exchange, status, response.body), cache: 'bypass' };
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

/** Passes on an answer below 400 whose body was read already. */
export function relayBytes(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  response: { status: number; headers: HeaderList; bytes: Uint8Array },
): Answer {
  const { status, headers } = relayHead(services, exchange, sent, response);
  const body = exchange.request.method === 'HEAD' ? NO_BODY : ({ kind: 'bytes', bytes: response.bytes } as const);
  return {
    status,
    headers: withHeader(headers, 'Content-Length', String(response.bytes.length)),
    body,
    cache: 'bypass',
  };
}

/** Status and header fields of an answer below 400 as the client gets them. */
export function relayHead(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  { status, headers }: { status: number; headers: HeaderList },
  received?: Received,
): ResponseOutcome {
  const outcome = exchange.endpoint.fixes.response(viewOf(services, exchange, sent, status, headers, received));
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  return outcome;
}

function streamed(exchange: Exchange, status: number, body: Readable): AnswerBody {
  if (exchange.request.method !== 'HEAD' && status !== 204 && status !== 304) return { kind: 'stream', stream: body };
  body.resume();
  return NO_BODY;
}

function viewOf(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
  status: number,
  headers: HeaderList,
  received: Received,
): ResponseView {
  const { upstream } = exchange.endpoint;
  return {
    request: exchange.request,
    sent,
    status,
    headers: asSeenByClient(exchange, endToEndHeaders(headers)),
    clientOrigin: exchange.clientOrigin,
    upstreamOrigin: upstream.origin,
    ...(upstream.authority === 'own' ? { accountOf: upstream.name } : {}),
    sealLocation: (url) => sealLocation(services.locationKey, sent.route, url),
    ...(received === undefined ? {} : { received }),
  };
}

/**
 * A Location that the registry built from its own address means this proxy's address to the client. That is what a
 * reverse proxy does for every healthy exchange; an address that is wrong is the fixes' business.
 */
function asSeenByClient(exchange: Exchange, headers: HeaderList): HeaderList {
  const { origin, basePath } = exchange.endpoint.upstream;
  const own = `${origin}${basePath}/v2/`;
  const location = headerValue(headers, 'Location');
  if (location?.startsWith(own) !== true) return headers;
  return withHeader(headers, 'Location', `${exchange.clientOrigin}/v2/${location.slice(own.length)}`);
}

/** An error body is always sent whole, decoded and with its own length. */
function errorHeaders(outcome: ResponseOutcome, body: Uint8Array): HeaderList {
  const plain = withoutHeaders(outcome.headers, 'Content-Length', 'Content-Encoding', 'ETag');
  const typed =
    outcome.errors === undefined || headerValue(plain, 'Content-Type')?.includes('json')
      ? plain
      : withHeader(plain, 'Content-Type', 'application/json; charset=utf-8');
  return [...typed, ['Content-Length', String(body.length)]];
}
