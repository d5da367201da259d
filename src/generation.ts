import type { Metrics } from './admin/metrics.ts';
import type { Usage } from './admin/usage.ts';
import type { Authentications } from './auth/authenticate.ts';
import { createOwnTokens } from './auth/own-tokens.ts';
import type { TokenKeys } from './auth/token-keys.ts';
import type { Config, EndpointConfig, UpstreamConfig } from './config/config.ts';
import { compileContentPolicy } from './domain/content-policy.ts';
import { compilePolicy } from './domain/repository-policy.ts';
import { compileRights } from './domain/rights.ts';
import { compileTagRules } from './domain/tag-policy.ts';
import { FIXES } from './fixes/index.ts';
import { compileFixes } from './fixes/run.ts';
import { trustCheck } from './http/client.ts';
import { createCursors } from './http/cursors.ts';
import { createEndpointRoutes, type EndpointAddress, type EndpointRoutes } from './http/endpoint-routes.ts';
import type { Edge } from './http/handle.ts';
import type { Limits } from './http/limits.ts';
import { createReadyAnswers } from './http/ready-answers.ts';
import { createTokenEndpoint } from './http/token-endpoint.ts';
import { createTokenMemory } from './http/token-memory.ts';
import type { Dispatch } from './pipeline/dispatch.ts';
import type { Endpoint, Guard } from './pipeline/exchange.ts';
import type { Challenges, Telemetry } from './pipeline/ports.ts';
import type { GuardedClient } from './upstream/guard.ts';
import type { UpstreamTurn } from './upstream/messages.ts';
import { metered } from './upstream/metered.ts';
import { createRegistry, type RegistryOptions } from './upstream/registry.ts';

/** Everything that follows from the configuration and is replaced as a whole by a reload. */
export interface Generation {
  readonly config: Config;
  readonly edge: Edge;
  readonly upstreams: readonly GuardedClient[];
}

/** What is known of clients and outlives a reload; without it nobody is told from others. */
export interface Lasting {
  readonly authentications?: Authentications;
  readonly limits?: Limits;
  readonly tokenKeys?: TokenKeys;
}

/** What all generations are made with. */
export interface GenerationParts {
  readonly dispatch: Dispatch;
  readonly challenges: Challenges;
  readonly figures: Pick<Metrics, 'upstreamAnswered'> & Pick<Usage, 'spent'>;
  readonly telemetry: Telemetry;
  readonly lasting?: Lasting;
  /** Gets each upstream and gives what is used in its place. */
  readonly watch?: ((upstream: GuardedClient) => GuardedClient) | undefined;
}

/** Makes upstreams, endpoints and the edge of a configuration. */
export function generationOf(config: Config, parts: GenerationParts): Generation {
  const { dispatch, challenges, figures, telemetry, lasting = {}, watch = (upstream) => upstream } = parts;
  const hooks: UpstreamHooks = {
    onAnswer: (answer) => figures.upstreamAnswered(answer),
    onTurn: (turn) => tellOfTurn(telemetry, turn),
  };
  const { endpoints, upstreams } = openEndpoints(config, {
    lasting,
    open: (name, upstream) => watch(openUpstream(name, upstream, hooks)),
    through: (upstream, endpoint) => metered(upstream, (...spent) => figures.spent(endpoint, ...spent)),
  });
  const tokenMemory = createTokenMemory({ onTurn: (turn) => tellOfTurn(telemetry, turn) });
  const edge: Edge = {
    dispatch,
    endpoints,
    tokens: createTokenEndpoint(endpoints, challenges, tokenMemory),
    tokenMemory,
    cursors: createCursors(),
    trusts: trustCheck(config.trustedProxies),
    observe: (request) => telemetry.requestFinished(request),
    audit: (event) => telemetry.audit(event),
    ready: createReadyAnswers(Date.now),
  };
  return { config, edge, upstreams };
}

interface Opening {
  readonly lasting?: Lasting;
  /** Makes the client of an upstream. */
  readonly open?: (name: string, upstream: UpstreamConfig) => GuardedClient;
  /** What an endpoint gets of it. */
  readonly through?: (upstream: GuardedClient, endpoint: string) => GuardedClient;
}

/** The endpoints of a configuration and the clients of their upstreams, which whoever opens them closes. */
export function openEndpoints(
  config: Config,
  { lasting = {}, open = openUpstream, through = (upstream) => upstream }: Opening = {},
): { readonly endpoints: EndpointRoutes; readonly upstreams: readonly GuardedClient[] } {
  const upstreams = new Map(
    Object.entries(config.upstreams).map(([name, upstream]) => [name, open(name, upstream)] as const),
  );
  const upstreamOf = (name: string, endpoint: string) => {
    const upstream = upstreams.get(name);
    if (upstream === undefined) throw new Error(`endpoint ${endpoint} names the unknown upstream ${name}`);
    return through(upstream, endpoint);
  };
  const addresses = config.endpoints.map(
    ({ host, prefix, ns, isDefault, ...endpoint }): EndpointAddress => ({
      endpoint: endpointOf(endpoint, (name) => upstreamOf(name, endpoint.name), config, lasting),
      ns,
      isDefault,
      ...(host === undefined ? {} : { host }),
      ...(prefix === undefined ? {} : { prefix }),
    }),
  );
  return { endpoints: createEndpointRoutes(addresses), upstreams: [...upstreams.values()] };
}

type UpstreamHooks = Pick<RegistryOptions, 'onAnswer' | 'onTurn'>;

/** Clients get what is known, so that nobody would come to the operator. */
function tellOfTurn(telemetry: Telemetry, { upstream, origin, reason }: UpstreamTurn): void {
  if (reason === undefined) telemetry.warn('a registry answers again', { upstream, origin });
  else telemetry.warn('a registry fails; what is known is served from the cache', { upstream, origin, reason });
}

/** The client of one upstream as it is configured. */
function openUpstream(
  name: string,
  { url, fallbacks = [], credentials, realms, redirects, timeouts, limits, tls, proxy }: UpstreamConfig,
  hooks: UpstreamHooks = {},
): GuardedClient {
  return createRegistry({
    name,
    urls: [url, ...fallbacks],
    credentials,
    realms,
    redirects,
    timeouts,
    ...(tls && { tls }),
    ...(proxy && { proxy }),
    maxRequestBody: limits?.maxRequestBody,
    reads: limits,
    ...hooks,
  });
}

/** Where clients log in, what manifix finds out and decides; undefined for an endpoint that asks nobody. */
function guardOf(
  { name, auth, login, rights }: Pick<EndpointConfig, 'name' | 'auth' | 'login' | 'rights'>,
  { groups }: Config,
  { authentications, tokenKeys }: Lasting,
): Guard | undefined {
  if (auth === undefined || login === undefined || authentications === undefined || tokenKeys === undefined)
    return undefined;
  const { issuer, authentication } = createOwnTokens({
    endpoint: name,
    authentication: authentications.of(name, auth),
    keys: tokenKeys,
    ttl: login.tokenTtl,
    now: Date.now,
  });
  return { authentication, tokens: issuer, rights: compileRights(rights, groups), challenge: login.challenge };
}

function endpointOf(
  endpoint: Omit<EndpointConfig, 'host' | 'prefix' | 'ns' | 'isDefault'>,
  upstreamOf: (name: string) => GuardedClient,
  config: Config,
  lasting: Lasting,
): Endpoint {
  const fixes = compileFixes(FIXES, endpoint.fixes);
  const guard = guardOf(endpoint, config, lasting);
  const content = compileContentPolicy(endpoint.content);
  const isHub = config.upstreams[endpoint.upstream]?.kind === 'dockerhub';
  return {
    name: endpoint.name,
    upstream: upstreamOf(endpoint.upstream),
    fixes,
    policy: compilePolicy(endpoint.repositories.allow, endpoint.repositories.deny),
    readOnly: endpoint.readOnly,
    ...(guard && { guard }),
    realms: config.upstreams[endpoint.upstream]?.realms ?? [],
    libraryPrefix: isHub ? fixes.mode('library-prefix') : 'off',
    freshness: { ...endpoint.cache, ttlOf: compileTagRules(endpoint.cache.tags, endpoint.cache.tagTtl) },
    ...(content && { content }),
    limits: lasting.limits?.of(endpoint.name, endpoint.limits),
    prepared: new WeakMap(),
  };
}
