import { RegistryError } from '../domain/errors.ts';
import { decodeQueryValue, mapQueryValues, queryText, withoutQueryParameter } from '../domain/query.ts';
import { type NameRule, type RequestNames, upstreamName } from '../domain/repository-names.ts';
import type { Route } from '../domain/route.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Cursors, selects } from './cursors.ts';
import type { Reached } from './endpoint-routes.ts';
import { parsePath, type Target } from './routes.ts';

/** What a client asks for in the names of the upstream, and those names. */
export interface UpstreamTarget extends Target {
  readonly names: RequestNames;
}

/**
 * The registry for whose images a mirror is asked (distribution-spec, "Registry Proxying"): containerd adds it to every
 * request.
 */
export function namespaceOf(query: string): string | undefined {
  const value = queryText(query, 'ns')?.toLowerCase();
  return value === '' ? undefined : value;
}

/** Translates a target at the edge, so that nothing behind it ever sees a client's name or a namespace. */
export function upstreamTarget(
  reached: Reached,
  method: string,
  target: Target,
  cursors: Cursors,
  may: Exchange['may'],
): UpstreamTarget {
  const { endpoint, prefix } = reached;
  const rule: NameRule = { prefix, library: endpoint.libraryPrefix === 'on' };
  const query = withoutQueryParameter(target.query, 'ns');
  const { route } = target;
  if ('repository' in route) {
    const upstream = upstreamName(rule, route.repository);
    if (upstream === undefined) throw nameTooLong(route.repository);
    const mounts = route.kind === 'upload-start' && method === 'POST';
    return {
      route: { ...route, repository: upstream },
      query: mounts ? withUpstreamSource(reached, rule, query, may) : query,
      names: { ...rule, asked: { client: route.repository, upstream } },
    };
  }
  const own = withoutPrefix(route, prefix);
  return {
    route: own,
    query: own.kind === 'catalog' ? withUpstreamCursor(reached, query, cursors) : query,
    names: rule,
  };
}

/** `/v2/<prefix>/`, `/v2/<prefix>/_catalog` and extensions belong to the endpoint as they do without a prefix. */
function withoutPrefix(route: Route, prefix: string): Route {
  if (route.kind !== 'other' || prefix === '') return route;
  return parsePath(`/v2/${route.path.slice('/v2/'.length + prefix.length)}`);
}

/**
 * A mount takes a blob from another repository. One that this client may not pull from here is none of its business, so
 * that the blob has to be uploaded. Without a source, registries such as zot take the blob from wherever they find it
 * (distribution-spec, "Mounting a blob from another repository"), with the rights of manifix's account instead of the client's.
 * Servers read odd spellings of a parameter (`fro%6d=`, `;from=`, `FROM=`, a second one) differently, and honest clients send none.
 */
function withUpstreamSource({ endpoint, holds }: Reached, rule: NameRule, query: string, may: Exchange['may']): string {
  const parts = query.split(/[&;?]/).map((part) => ({ part, key: keyOf(part) }));
  const sources = parts.filter(({ key }) => key === 'from');
  if (sources.length === 0 && !selects(endpoint)) return query;
  const from = queryText(query, 'from') ?? '';
  const plain = sources.length === 1 && sources[0]?.part.startsWith('from=') === true && !/[;?]/.test(query);
  const upstream = plain && holds?.(from) !== false ? upstreamName(rule, from) : undefined;
  if (upstream === undefined || !may('pull', upstream)) {
    if (!parts.some(({ key }) => key === 'from' || key === 'mount')) return query;
    const kept = parts.filter(({ key }) => key !== 'from' && key !== 'mount');
    return kept.map(({ part }) => part).join('&');
  }
  return upstream === from ? query : mapQueryValues(query, (name, value) => (name === 'from' ? upstream : value));
}

function keyOf(part: string): string {
  return decodeQueryValue(part.split('=', 1).join()).toLowerCase();
}

/** Where the next page of the catalogue starts, as the client had it from us or made it from the last name it saw. */
function withUpstreamCursor({ endpoint, prefix }: Reached, query: string, cursors: Cursors): string {
  const last = queryText(query, 'last');
  if (last === undefined || (prefix === '' && !selects(endpoint))) return query;
  const cursor = cursors.open(endpoint, prefix, last);
  return mapQueryValues(query, (name, value) => (name === 'last' ? encodeURIComponent(cursor) : value));
}

function nameTooLong(name: string): RegistryError {
  return new RegistryError('NAME_INVALID', {
    detail: { name },
    explanation: 'With the "library/" in front that the registry wants, the name has more than 255 characters.',
  });
}
