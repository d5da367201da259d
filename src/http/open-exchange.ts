import { withoutCredentials } from '../domain/credentials.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { callerAt } from './client.ts';
import type { Passage } from './passage.ts';
import { withoutStandIn } from './stand-in-tokens.ts';
import type { TokenMemory } from './token-memory.ts';
import { withVia } from './via.ts';

/** A request as the use cases see it: in the upstream's names, and without credentials that are manifix's own. */
export function openExchange(
  { endpoint, clientOrigin, target, identity, may, shows }: Passage,
  parts: Pick<Exchange, 'applied' | 'incoming' | 'outgoing'>,
  clientHeaders: HeaderList,
  { tokens, ...known }: Pick<Exchange, 'id' | 'address' | 'client'> & { readonly tokens: TokenMemory },
): Exchange {
  const { incoming, outgoing } = parts;
  // What clients show to an endpoint with a guard, or have for another one, is nothing to its registry.
  const isOwn = endpoint.guard !== undefined || identity.showsOwn === true;
  const ownHeaders = isOwn ? withoutCredentials(clientHeaders) : clientHeaders;
  const headers = withVia(withoutStandIn(ownHeaders), known.id.slice(0, known.id.lastIndexOf('-')));
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new Error('the client is gone'));
  });
  const length = headerValue(headers, 'Content-Length');
  const hasBody = length === undefined ? incoming.headers['transfer-encoding'] !== undefined : Number(length) > 0;
  const { route, query } = target;
  return {
    ...parts,
    ...known,
    endpoint,
    clientOrigin,
    allowance: endpoint.limits?.allowance(known.client),
    caller: callerAt(endpoint, ownHeaders, query, tokens),
    principal: identity.principal,
    may,
    shows,
    request: {
      method: incoming.method ?? 'GET',
      route,
      query,
      headers,
      clientHeaders: ownHeaders,
      hasBody,
      ...(endpoint.upstream.authority === 'own' ? { accountOf: endpoint.upstream.name } : {}),
    },
    signal: gone.signal,
  };
}
