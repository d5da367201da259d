import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import { withQuery } from '../domain/query.ts';
import { isRedirectStatus, MAX_REDIRECTS } from '../domain/redirect.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { meansServer, parseLocation } from '../fixes/location.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { forwardAuthorized } from './forward-authorized.ts';
import type { ForwardedAnswer } from './pass-through-proxy.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { report, reportOwnRedirect } from './report.ts';

/**
 * Everything that is neither a pull nor a push: deletes, lists, extensions. The request is repaired, its body streams to
 * the registry, and the answer is repaired on its way back.
 */
export async function passThrough(services: Services, exchange: Exchange): Promise<Answer> {
  const outcome = repairRequest(exchange);
  if ('status' in outcome) return outcome;
  const sent = outcome.view;
  const forwarded = await forwardWithin(exchange, sent);
  const answer = await relay(services, exchange, sent, forwarded);
  const { route, method } = exchange.request;
  if (answer.status < 300 && route.kind === 'blob' && method === 'DELETE')
    services.facts.dropLink(exchange.endpoint.upstream.name, route.repository, 'blob', route.digest);
  return answer;
}

/**
 * Forwards a request, and once more to where the registry redirects within itself, with the same method. A body streams and
 * cannot be sent again.
 */
async function forwardWithin(exchange: Exchange, sent: RequestView): Promise<ForwardedAnswer> {
  const { upstream, fixes } = exchange.endpoint;
  const body = exchange.request.hasBody ? 'stream' : 'none';
  let path = upstreamPath(exchange, sent);
  for (let followed = 0; ; followed += 1) {
    const { method, headers } = sent;
    const answer = await forwardAuthorized(exchange, sent, { origin: upstream.origin, path, method, headers, body });
    const next =
      body === 'none' && followed < MAX_REDIRECTS ? redirectWithin(upstream.origin, path, answer) : undefined;
    if (next === undefined) return answer;
    reportOwnRedirect(exchange);
    if (fixes.mode('unreachable-redirect-or-location') !== 'on') return answer;
    answer.body.resume();
    path = next;
  }
}

/** The path to which an answer redirects, when it is the registry's own, perhaps without its scheme or port. */
function redirectWithin(origin: string, path: string, { status, headers }: ForwardedAnswer): string | undefined {
  if (!isRedirectStatus(status)) return undefined;
  const location = parseLocation(headerValue(headers, 'Location') ?? '', origin, path.split('?', 1).join());
  const isOwn = location.authority === undefined || meansServer(location.authority, origin);
  return isOwn && location.path.startsWith('/') && location.path !== path ? location.path : undefined;
}

/** Lets the fixes see the request. Gives what is to be sent, or the answer when a fix has one; throws when one refuses. */
export function repairRequest(exchange: Exchange): RequestOutcome | Answer {
  const outcome = exchange.endpoint.fixes.request(exchange.request);
  report(exchange, outcome.applied);
  if (outcome.refuse !== undefined) throw outcome.refuse;
  return outcome.reply === undefined ? outcome : { ...outcome.reply, body: NO_BODY };
}

/** Path and query of a request as the registry expects them. */
export function upstreamPath(exchange: Exchange, sent: RequestView): string {
  return withQuery(exchange.endpoint.upstream.basePath + formatRoute(sent.route), sent.query);
}

/** A method that no registry route has. */
export function unsupportedMethod(method: string): RegistryError {
  return new RegistryError('UNSUPPORTED', { explanation: `Registries have no use for ${method}.` });
}
