import type { Metrics } from './admin/metrics.ts';
import type { Config, EndpointConfig } from './config/config.ts';
import { FIXES } from './fixes/index.ts';
import { compileFixes } from './fixes/run.ts';
import { trustCheck } from './http/client.ts';
import type { Edge } from './http/handle.ts';
import { createReadyAnswers } from './http/ready-answers.ts';
import type { Dispatch } from './pipeline/dispatch.ts';
import type { Endpoint } from './pipeline/exchange.ts';
import type { Telemetry } from './pipeline/ports.ts';
import { createUpstream, type UpstreamClient } from './upstream/upstream.ts';

/** Everything that follows from the configuration and is replaced as a whole by a reload. */
export interface Generation {
  readonly config: Config;
  readonly edge: Edge;
  readonly upstreams: readonly UpstreamClient[];
}

/** Makes upstreams, endpoints and the edge of a configuration; what outlives a reload is handed in. */
export function generationOf(config: Config, dispatch: Dispatch, metrics: Metrics, telemetry: Telemetry): Generation {
  const upstreams = new Map(
    Object.entries(config.upstreams).map(([name, { url }]) => [
      name,
      createUpstream({ name, url, onAnswer: (answer) => metrics.upstreamAnswered(answer) }),
    ]),
  );
  const endpoints = config.endpoints.map(
    (endpoint) => [endpoint.host, endpointOf(endpoint, upstreams, config)] as const,
  );
  const byHost = new Map(endpoints);
  const edge: Edge = {
    dispatch,
    endpointFor: (host) => byHost.get(host) ?? byHost.get(host.replace(/:\d+$/, '')) ?? byHost.get(undefined),
    trusts: trustCheck(config.trustedProxies),
    observe: (request) => telemetry.requestFinished(request),
    ready: createReadyAnswers(Date.now),
  };
  return { config, edge, upstreams: [...upstreams.values()] };
}

function endpointOf(
  endpoint: EndpointConfig,
  upstreams: ReadonlyMap<string, UpstreamClient>,
  config: Config,
): Endpoint {
  const upstream = upstreams.get(endpoint.upstream);
  if (upstream === undefined)
    throw new Error(`endpoint ${endpoint.name} names the unknown upstream ${endpoint.upstream}`);
  return {
    name: endpoint.name,
    upstream,
    fixes: compileFixes(FIXES, endpoint.fixes),
    tagTtl: config.cache.tagTtl,
    prepared: new WeakMap(),
  };
}
