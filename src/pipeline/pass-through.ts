import { RegistryError } from '../domain/errors.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { RequestOutcome } from '../fixes/run.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { forward } from './pass-through-proxy.ts';
import type { Services } from './ports.ts';
import { relay } from './relay.ts';
import { report } from './report.ts';

/**
 * Everything that is neither a pull nor a push: deletes, lists, extensions. The request is repaired, its body streams to
 * the registry, and the answer is repaired on its way back.
 */
export async function passThrough(services: Services, exchange: Exchange): Promise<Answer> {
  const outcome = repairRequest(exchange);
  if ('status' in outcome) return outcome;
  const sent = outcome.view;
  const forwarded = await forward(
    exchange,
    {
      origin: exchange.endpoint.upstream.origin,
      path: upstreamPath(exchange, sent),
      method: sent.method,
      headers: sent.headers,
      body: exchange.request.hasBody ? 'stream' : 'none',
    },
    exchange.signal,
  );
  const answer = await relay(services, exchange, sent, forwarded);
  const { route, method } = exchange.request;
  if (answer.status < 300 && route.kind === 'blob' && method === 'DELETE')
    services.facts.dropLink(exchange.endpoint.upstream.name, route.repository, 'blob', route.digest);
  return answer;
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
  const path = exchange.endpoint.upstream.basePath + formatRoute(sent.route);
  return sent.query === '' ? path : `${path}?${sent.query}`;
}

/** A method that no registry route has. */
export function unsupportedMethod(method: string): RegistryError {
  return new RegistryError('UNSUPPORTED', { explanation: `Registries have no use for ${method}.` });
}
