import { withoutSession } from '../domain/credentials.ts';
import { withQuery } from '../domain/query.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import type { Exchange } from './exchange.ts';
import { type ForwardedAnswer, type ForwardRequest, forward } from './pass-through-proxy.ts';
import type { ClientExchange } from './pass-through-request.ts';
import type { Upstream } from './ports-upstream.ts';

/**
 * Sends a request whose answer is relayed, with the right that counts at its registry: the caller's, or manifix's own. A body that
 * streams is sent once; everything else once more when the registry answers 401 and there is a newer token.
 * @param sent what the request is about; its path may differ where an upload leads away from the registry's own paths
 * @param via where a body that streams comes from, when that is not the client
 */
export async function forwardAuthorized(
  exchange: Exchange,
  sent: RequestView,
  wanted: Omit<ForwardRequest, 'addresses' | 'agent' | 'connectTimeout' | 'idle'>,
  via: ClientExchange = exchange,
): Promise<ForwardedAnswer> {
  const { upstream } = exchange.endpoint;
  const send = measured(upstream, sent, via, exchange.signal);
  const { addresses, timeouts, agentFor } = upstream;
  const reads = wanted.method === 'GET' || wanted.method === 'HEAD';
  // Registries take their time to put a large blob into its place.
  const idle = reads
    ? { before: timeouts.headers, during: timeouts.stall }
    : { before: timeouts.change, during: timeouts.change };
  const agent = agentFor?.(wanted.origin);
  const request = { ...wanted, addresses, agent, connectTimeout: timeouts.connect, idle };
  // Elsewhere nobody's credentials have any business; they were dropped already.
  if (upstream.authority === 'caller' || request.origin !== upstream.origin) {
    return send(request);
  }
  const path = withQuery(formatRoute(sent.route), sent.query);
  const asked = { method: sent.method, path, headers: request.headers };
  const headers = await upstream.authorize(asked);
  const answer = await send({ ...request, headers });
  const renewed =
    answer.status === 401 && request.body !== 'stream'
      ? await upstream.authorize(asked, { sent: headers, answer })
      : headers;
  if (renewed === headers) return { ...answer, headers: withoutSession(answer.headers) };
  answer.body.destroy();
  const second = await send({ ...request, headers: renewed });
  return { ...second, headers: withoutSession(second.headers) };
}

/** Sends, and counts what was sent when the answer is there. What the registry refuses is booked on no repository. */
function measured({ spent }: Upstream, { route }: RequestView, via: ClientExchange, signal: AbortSignal) {
  const repository = 'repository' in route ? route.repository : '';
  return async (request: ForwardRequest): Promise<ForwardedAnswer> => {
    let bytes = 0;
    const observe = (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      request.observe?.(chunk);
    };
    const answer = await forward(via, { ...request, observe }, signal);
    spent?.(answer.status < 400 ? repository : '', 1, bytes);
    return answer;
  };
}
