import { RegistryError } from '../domain/errors.ts';
import type { Route } from '../domain/route.ts';
import type { Endpoint, Guard } from '../pipeline/exchange.ts';

/** The ways to an endpoint. */
export interface EndpointAddress {
  readonly endpoint: Endpoint;
  /** The Host header field, in lower case, perhaps with a port. */
  readonly host?: string;
  /** What repository names begin with, without its slash. */
  readonly prefix?: string;
  /** The registries that it stands for when a client says `ns=`, in lower case. */
  readonly ns: readonly string[];
  /** Whether it takes what nobody else claims; at most one does. */
  readonly isDefault: boolean;
}

/** Where a request leads. */
export interface Reached {
  readonly endpoint: Endpoint;
  /** What the client put in front of the upstream's names to get here, with its slash; usually empty. */
  readonly prefix: string;
  /** The namespace that chose the endpoint. */
  readonly namespace?: string;
  /** Whether the client would get here, too, with another repository of this name; undefined when it would with any. */
  readonly holds?: (name: string) => boolean;
  /**
   * For `/v2/` and logins, which name no repository: endpoints with a guard that this client may mean as well, because they are
   * told apart by the prefixes of names.
   */
  readonly besides?: readonly Endpoint[];
}

/** Chooses the endpoint by `ns=`, then by host, then by the longest prefix of the name, and at last the default. */
export interface EndpointRoutes {
  /**
   * @param host the client's Host, in lower case
   * @param namespace the value of `ns=`, which distribution-spec calls the source host
   * @throws RegistryError NAME_UNKNOWN
   */
  reach(host: string, route: Route, namespace?: string): Reached;
  named(name: string): Endpoint | undefined;
  /** Those who know clients that may come to another endpoint at the same address, too. */
  readonly guards: readonly Guard[];
}

/** Each that is tried costs the check of a password. */
const MOST_BESIDES = 8;

interface Way extends Reached {
  readonly address: EndpointAddress;
  readonly byDefault: boolean;
}

export function createEndpointRoutes(addresses: readonly EndpointAddress[]): EndpointRoutes {
  const byHost = indexed(addresses, ({ host }) => (host === undefined ? [] : [host]));
  const byPrefix = indexed(addresses, ({ prefix }) => (prefix === undefined ? [] : [prefix]));
  const byNamespace = indexed(addresses, ({ ns }) => ns);
  const byName = new Map(addresses.map(({ endpoint }) => [endpoint.name, endpoint]));
  const guarded = addresses.filter(({ endpoint, prefix }) => prefix !== undefined && endpoint.guard !== undefined);
  const sharing = addresses.filter(({ host }) => host === undefined);
  const guards = sharing.flatMap(({ endpoint: { guard } }) => guard ?? []).slice(0, MOST_BESIDES);
  const fallback = addresses.find(({ isDefault }) => isDefault);

  /** The longest prefix in the index: as many look-ups as the name has slashes, however many endpoints there are. */
  function prefixOf(name: string): string {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      if (byPrefix.has(name.slice(0, end))) return name.slice(0, end + 1);
    }
    return '';
  }
  const way = (address: EndpointAddress, prefix: string, byDefault: boolean): Way => ({
    address,
    endpoint: address.endpoint,
    prefix,
    byDefault,
    ...(byPrefix.size === 0 ? {} : { holds: (name: string) => prefixOf(name) === prefix }),
  });

  function findWay(host: string, route: Route): Way | undefined {
    const hosted = byHost.get(host) ?? byHost.get(host.replace(/:\d+$/, ''));
    if (hosted !== undefined) return { address: hosted, endpoint: hosted.endpoint, prefix: '', byDefault: false };
    const prefix = prefixOf(pathInPrefix(route));
    const prefixed = byPrefix.get(prefix.slice(0, -1));
    if (prefixed !== undefined) return way(prefixed, prefix, false);
    if (route.kind !== 'base') return fallback && way(fallback, '', true);
    const [nobodyElse, ...others] = fallback === undefined ? guarded : [fallback, ...guarded];
    const besides = others.slice(0, MOST_BESIDES).map(({ endpoint }) => endpoint);
    return nobodyElse && { ...way(nobodyElse, '', true), ...(besides.length === 0 ? {} : { besides }) };
  }

  return {
    named: (name) => byName.get(name),
    guards,
    reach(host, route, namespace) {
      const named = namespace === undefined ? undefined : byNamespace.get(namespace);
      if (named !== undefined && namespace !== undefined) {
        return { endpoint: named.endpoint, prefix: '', namespace };
      }
      const found = findWay(host, route);
      if (namespace !== undefined && !standsForAny(found, byNamespace.size)) {
        throw unknownNamespace(namespace, [...byNamespace.keys()]);
      }
      if (found === undefined) throw nobodyIsThere(host);
      return found;
    },
  };
}

/**
 * Whether this way may serve a namespace that no endpoint lists. Somebody who pointed a client to a host or prefix of its own,
 * or who lists no namespace anywhere, meant it. Otherwise the default would answer with another registry's image of that name.
 */
function standsForAny(found: Way | undefined, listed: number): boolean {
  return listed === 0 || (found !== undefined && !found.byDefault && found.address.ns.length === 0);
}

function indexed(
  addresses: readonly EndpointAddress[],
  keysOf: (address: EndpointAddress) => readonly string[],
): ReadonlyMap<string, EndpointAddress> {
  return new Map(addresses.flatMap((address) => keysOf(address).map((key) => [key, address] as const)));
}

/** What can begin with a prefix. A repository needs a name behind it; `/v2/<prefix>` and `/v2/<prefix>/` mean the endpoint itself. */
function pathInPrefix(route: Route): string {
  if ('repository' in route) return route.repository;
  return route.kind === 'other' ? `${route.path.slice('/v2/'.length).replace(/\/$/, '')}/` : '';
}

/** How many names an error tells. */
const MOST_TOLD = 20;

function unknownNamespace(namespace: string, known: readonly string[]): RegistryError {
  const told = known.slice(0, MOST_TOLD);
  const others = known.length > told.length ? ` and ${known.length - told.length} more` : '';
  return new RegistryError('NAME_UNKNOWN', {
    message: 'no endpoint stands for this namespace',
    detail: { ns: namespace, known: told },
    explanation:
      `The client asks for images of "${namespace}" (ns=), and no endpoint lists it; there is ${told.join(', ')}${others}. ` +
      'Add it to the `ns` of an endpoint, or point the client elsewhere.',
  });
}

function nobodyIsThere(host: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', {
    message: 'no endpoint has this host name',
    detail: { host },
    explanation: `No endpoint has the host "${host}" or a prefix of this name, and none takes all other requests.`,
  });
}
