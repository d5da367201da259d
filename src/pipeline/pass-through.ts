import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withoutHeaders } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { type ForwardedAnswer, forward } from './pass-through-proxy.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { report } from './report.ts';
import { unsealLocation } from './sealed-location.ts';
import { openSession } from './split-upload.ts';
import type { UploadDigests, UploadObserver } from './upload-digests.ts';

/**
 * Everything that is neither a pull nor a manifest push: uploads, deletes, lists, extensions. The request is repaired,
 * its body streams to the registry, and the answer is repaired on its way back.
 */
export async function passThrough(services: Services, uploads: UploadDigests, exchange: Exchange): Promise<Answer> {
  const outcome = exchange.endpoint.fixes.request(exchange.request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  if (outcome.reply !== undefined) return { ...outcome.reply, body: NO_BODY };
  const sent =
    outcome.splitUpload === undefined
      ? outcome.view
      : await openSession(services, exchange, outcome, outcome.splitUpload);
  if ('status' in sent) return sent;
  const observer = observed(uploads, exchange, sent, outcome);
  const forwarded = await forward(
    exchange,
    {
      ...destination(services, exchange, sent),
      method: sent.method,
      body: exchange.request.hasBody ? 'stream' : 'none',
      ...(observer === undefined ? {} : { observe: observer.observe }),
    },
    exchange.signal,
  );
  return finish(services, uploads, exchange, sent, forwarded, observer);
}

/** Path and query of a request as the registry expects them. */
export function upstreamPath(exchange: Exchange, sent: RequestView): string {
  const path = exchange.endpoint.upstream.basePath + formatRoute(sent.route);
  return sent.query === '' ? path : `${path}?${sent.query}`;
}

/** The registry, or where a sealed upload location leads; there the client's credentials have no business. */
function destination(
  services: Services,
  exchange: Exchange,
  sent: RequestView,
): { origin: string; path: string; headers: HeaderList } {
  const { upstream } = exchange.endpoint;
  const sealed =
    sent.route.kind === 'upload'
      ? unsealLocation(services.locationKey, sent.route.repository, sent.route.id)
      : undefined;
  if (sealed === undefined)
    return { origin: upstream.origin, path: upstreamPath(exchange, sent), headers: sent.headers };
  const url = new URL(sealed);
  const added = sent.query.replace(/^_state=sealed&?/, '');
  const query = [url.search.slice(1), added].filter((part) => part !== '').join('&');
  const headers =
    url.origin === upstream.origin ? sent.headers : withoutHeaders(sent.headers, 'Authorization', 'Cookie');
  return { origin: url.origin, path: query === '' ? url.pathname : `${url.pathname}?${query}`, headers };
}

function observed(
  uploads: UploadDigests,
  exchange: Exchange,
  sent: RequestView,
  outcome: RequestOutcome,
): UploadObserver | undefined {
  if (sent.route.kind !== 'upload' || (sent.method !== 'PATCH' && sent.method !== 'PUT')) return undefined;
  const key = sessionKey(exchange, sent.route.repository, sent.route.id);
  if (outcome.splitUpload !== undefined) uploads.opened(key);
  return uploads.observe(key);
}

async function finish(
  services: Services,
  uploads: UploadDigests,
  exchange: Exchange,
  sent: RequestView,
  forwarded: ForwardedAnswer,
  observer: UploadObserver | undefined,
): Promise<Answer> {
  const whole = forwarded.sentWhole();
  const answer = await relay(services, exchange, sent, forwarded, whole ? observer?.total() : undefined);
  observer?.settle(whole && sent.method === 'PATCH' && answer.status < 300);
  rememberOutcome(services, uploads, exchange, forwarded);
  return answer;
}

function rememberOutcome(
  services: Services,
  uploads: UploadDigests,
  exchange: Exchange,
  forwarded: ForwardedAnswer,
): void {
  const { route, method } = exchange.request;
  const upstream = exchange.endpoint.upstream.name;
  if (forwarded.status >= 300) return;
  if (route.kind === 'upload-start' && method === 'POST') {
    const id = /\/blobs\/uploads\/([^/?]+)/.exec(headerValue(forwarded.headers, 'Location') ?? '')?.[1];
    if (id !== undefined) uploads.opened(sessionKey(exchange, route.repository, id));
  }
  if (route.kind === 'blob' && method === 'DELETE')
    services.facts.dropLink(upstream, route.repository, 'blob', route.digest);
}

function sessionKey(exchange: Exchange, repository: string, id: string): string {
  return JSON.stringify([exchange.endpoint.upstream.name, repository, id]);
}

/** A method that no registry route has. */
export function unsupportedMethod(method: string): RegistryError {
  return new RegistryError('UNSUPPORTED', { explanation: `Registries have no use for ${method}.` });
}
