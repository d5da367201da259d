import { challengeOf, parseChallenges } from '../domain/challenge.ts';
import { headerValues } from '../domain/headers.ts';
import { checkRealm } from '../domain/realm.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { inTime } from '../lib/in-time.ts';
import { isOutage, outageError } from '../pipeline/access.ts';
import type { Endpoint } from '../pipeline/exchange.ts';

/** The token service of a registry. */
export interface Realm {
  readonly url: URL;
  readonly service: string | undefined;
}

/**
 * Where the tokens of a registry come from: what it says now, or while it does not answer what it said last. Undefined when it
 * wants no tokens, or names a place of others.
 * @throws RegistryError when it does not answer and never did
 */
export type RealmOf = (endpoint: Endpoint, repository: RepositoryName | undefined) => Promise<Realm | undefined>;

const REMEMBERED_FOR = 300_000;

export function createRealms(now: () => number): RealmOf {
  const realms = new WeakMap<Endpoint['upstream'], { readonly realm: Realm; readonly until: number }>();

  async function learn(endpoint: Endpoint, repository: RepositoryName | undefined): Promise<Realm | undefined> {
    const realm =
      (await ask(endpoint, { kind: 'base' })) ?? (repository && (await ask(endpoint, { kind: 'tags', repository })));
    if (realm !== undefined) realms.set(endpoint.upstream, { realm, until: now() + REMEMBERED_FOR });
    return realm;
  }

  return async (endpoint, repository) => {
    const { upstream } = endpoint;
    const known = realms.get(upstream);
    if (known === undefined) return learn(endpoint, repository);
    const outlook = upstream.outlook('GET', []);
    if (now() < known.until || !outlook.ask) return known.realm;
    const asking = learn(endpoint, repository).then(
      (realm) => ({ realm }),
      () => known,
    );
    return ((await inTime(asking, outlook.patience)) ?? known).realm;
  };
}

/** What the registry itself says about where its tokens come from. */
async function ask({ upstream, realms }: Endpoint, route: Route): Promise<Realm | undefined> {
  const { status, headers, body } = await upstream.request({ method: 'GET', path: formatRoute(route), headers: [] });
  body.destroy();
  if (isOutage(status)) throw outageError(status, headers);
  if (status !== 401) return undefined;
  const challenge = challengeOf(parseChallenges(headerValues(headers, 'WWW-Authenticate')), 'bearer');
  const checked = checkRealm(challenge?.parameters.get('realm') ?? '', upstream.origin, realms);
  return challenge === undefined || 'wrong' in checked
    ? undefined
    : { url: checked.url, service: challenge.parameters.get('service') };
}
