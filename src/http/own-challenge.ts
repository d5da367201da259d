import { formatChallenge } from '../domain/challenge.ts';
import type { HeaderList } from '../domain/headers.ts';
import { queryText } from '../domain/query.ts';
import { parseRepositoryName } from '../domain/reference.ts';
import type { RouteKind } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { CATALOG_SCOPE, scopesFor } from '../domain/scope.ts';
import type { Arrival } from './arrival.ts';
import type { Target } from './routes.ts';
import { tokenRealm } from './token-exchange.ts';

/** Asks for a name and a password (RFC 7617). */
export const BASIC_CHALLENGE: HeaderList = [['WWW-Authenticate', 'Basic realm="manifix"']];

/**
 * How an endpoint with a guard asks for credentials (RFC 9110, section 11.6.1; RFC 6750, section 3). It says nothing that the
 * request did not, so that nobody learns which repositories there are.
 * @param kind what the request is about behind the endpoint's prefix
 */
export function ownChallenge(
  { reached, method, asked, clientOrigin }: Arrival,
  wants: 'credentials' | 'more' = 'credentials',
  kind: RouteKind = asked.route.kind,
): HeaderList {
  const { name, guard } =
    reached.endpoint.guard === undefined ? (reached.besides?.[0] ?? reached.endpoint) : reached.endpoint;
  if (guard?.challenge === 'basic') return BASIC_CHALLENGE;
  const scopes = kind === 'catalog' ? [CATALOG_SCOPE] : scopesOf(method, asked);
  const parameters = new Map([
    ['realm', tokenRealm(clientOrigin, reached)],
    ['service', name],
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const]),
    ...(wants === 'more' ? [['error', 'insufficient_scope'] as const] : []),
  ]);
  return [['WWW-Authenticate', formatChallenge({ scheme: 'Bearer', parameters })]];
}

function scopesOf(method: string, { route, query }: Target): readonly string[] {
  // Cancelling an upload is a part of pushing.
  if (route.kind === 'upload') return [`repository:${route.repository}:pull,push`];
  const from = parseRepositoryName(queryText(query, 'from') ?? '');
  return scopesFor(method, formatRoute(route) + (from === undefined ? '' : `?from=${from}`));
}
