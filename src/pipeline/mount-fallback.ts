import { headerValue } from '../domain/headers.ts';
import { queryValue } from '../domain/query.ts';
import type { RequestView } from '../fixes/fix.ts';
import { withoutMount } from '../fixes/upload-query.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardedAnswer } from './pass-through-proxy.ts';
import { reportRepair } from './report.ts';

/** A request as it was sent, and the answer to it. */
export interface Forwarded {
  readonly sent: RequestView;
  readonly answer: ForwardedAnswer;
}

/**
 * Opens a session where the registry refused to mount: Docker Hub and Quay do so for sources that they do not know or like,
 * and clients give up. When that is refused too, the answer to the mount stands, with its challenge for both repositories.
 */
export async function orSessionInstead(
  exchange: Exchange,
  sent: RequestView,
  forward: (view: RequestView) => Promise<ForwardedAnswer>,
): Promise<Forwarded> {
  const answer = await forward(sent);
  const mode = exchange.endpoint.fixes.mode('mount-fallback');
  if (mode === 'off' || !refusesMount(exchange, sent, answer.status)) return { sent, answer };
  if (mode === 'observe') {
    reportRepair(exchange, 'mount-fallback', `the mount was refused with ${answer.status}`);
    return { sent, answer };
  }
  const plain = { ...sent, query: withoutMount(sent.query) };
  const opened = await forward(plain);
  if (opened.status >= 300) {
    opened.body.destroy();
    return { sent, answer };
  }
  answer.body.destroy();
  reportRepair(exchange, 'mount-fallback', `opened a session after the mount was refused with ${answer.status}`);
  return { sent: plain, answer: opened };
}

/** Not a question for credentials, and not a registry that wants fewer requests. */
function refusesMount(
  { endpoint }: Exchange,
  { method, route, query, headers, hasBody }: RequestView,
  status: number,
): boolean {
  if (method !== 'POST' || route.kind !== 'upload-start' || hasBody) return false;
  if (queryValue(query, 'mount') === undefined || status < 400 || status === 429) return false;
  const hadCredentials = endpoint.upstream.authority === 'own' || headerValue(headers, 'Authorization') !== undefined;
  return status !== 401 || hadCredentials;
}
