import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { addFigures, type FigureSources } from './figures.ts';
import { addLimitFigures, type LimitFigures } from './limit-figures.ts';
import { createRequestMetrics, SECONDS } from './request-metrics.ts';
import { addUpstreamFigures, type UpstreamConditions } from './upstream-figures.ts';

/** What is counted elsewhere and read when metrics are. */
export interface MetricsSources extends FigureSources {
  readonly upstreams: UpstreamConditions;
  readonly limits: LimitFigures;
}

/** An answer of a registry, as the upstream client saw it. */
export interface UpstreamFigures {
  readonly upstream: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Metrics {
  requestFinished(request: FinishedRequest): void;
  upstreamAnswered(answer: UpstreamFigures): void;
  /** The text that Prometheus reads. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Label values come from closed sets (routes, statuses, fixes, configured names), so that series cannot grow without end. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addUpstreamFigures(registers, sources.upstreams);
  addLimitFigures(registers, sources.limits);
  collectDefaultMetrics({ register: registry });
  const requests = createRequestMetrics(registers);
  const upstream = new Histogram({
    name: 'manifix_upstream_duration_seconds',
    help: 'Time until a registry answered, by upstream, method and status',
    labelNames: ['upstream', 'method', 'status'] as const,
    buckets: SECONDS,
    registers,
  });
  addFigures(registers, sources, requests.saved);
  return {
    requestFinished: requests.count,
    upstreamAnswered: ({ upstream: name, method, status, seconds }) =>
      upstream.observe({ upstream: name, method, status }, seconds),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
