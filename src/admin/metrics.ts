import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { FinishedRequest } from '../pipeline/ports.ts';
import {
  type AuditFigures,
  addAuditFigures,
  addFigures,
  type CacheFigures,
  type ConnectionFigures,
  type DefectFigures,
} from './figures.ts';
import { addLimitFigures, type LimitFigures } from './limit-figures.ts';
import { addUpstreamFigures, type UpstreamConditions } from './upstream-figures.ts';

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

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Label values come from closed sets (routes, statuses, fixes, configured names), so that series cannot grow without end. */
export function createMetrics(
  cache: CacheFigures,
  connections: ConnectionFigures,
  defects: DefectFigures,
  upstreams: UpstreamConditions,
  limits: LimitFigures,
  audit: AuditFigures,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addUpstreamFigures(registers, upstreams);
  addLimitFigures(registers, limits);
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'manifix_requests_total',
    help: 'Requests by endpoint, kind, method, status and cache result',
    labelNames: ['endpoint', 'kind', 'method', 'status', 'cache'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'manifix_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['endpoint', 'kind'] as const,
    buckets: SECONDS,
    registers,
  });
  const sent = new Counter({
    name: 'manifix_sent_bytes_total',
    help: 'Body bytes sent to clients',
    labelNames: ['endpoint', 'kind', 'cache'] as const,
    registers,
  });
  const fixes = new Counter({
    name: 'manifix_fixes_total',
    help: 'Exchanges that a fix changed (on) or would have changed (observe)',
    labelNames: ['endpoint', 'fix', 'mode'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'manifix_fix_failures_total',
    help: 'Exchanges that a fix failed on and left as they were',
    labelNames: ['endpoint', 'fix'] as const,
    registers,
  });
  const policies = new Counter({
    name: 'manifix_content_policy_total',
    help: 'Requests that a pin, a cool-down (with or without something older to serve) or a denial decided',
    labelNames: ['endpoint', 'policy'] as const,
    registers,
  });
  const upstream = new Histogram({
    name: 'manifix_upstream_duration_seconds',
    help: 'Time until a registry answered, by upstream, method and status',
    labelNames: ['upstream', 'method', 'status'] as const,
    buckets: SECONDS,
    registers,
  });
  const saved = { answers: 0, bytes: 0 };
  addFigures(registers, cache, connections, defects, saved);
  addAuditFigures(registers, audit);
  // Looking a series up by its labels costs more than a whole cached answer.
  const known = new Map<string, RequestSeries>();
  return {
    requestFinished({
      endpoint,
      kind,
      method,
      status,
      cache: result = 'none',
      bytesSent,
      seconds,
      fixes: applied,
      policy,
    }) {
      const key = `${endpoint} ${kind} ${method} ${status} ${result}`;
      let series = known.get(key);
      if (series === undefined) {
        series = {
          requests: requests.labels({ endpoint, kind, method: knownMethod(method), status, cache: result }),
          duration: duration.labels({ endpoint, kind }),
          sent: sent.labels({ endpoint, kind, cache: result }),
        };
        if (METHODS.has(method)) known.set(key, series);
      }
      series.requests.inc();
      series.duration.observe(seconds);
      series.sent.inc(bytesSent);
      if (result === 'hit' || result === 'stale') {
        saved.answers += 1;
        saved.bytes += bytesSent;
      }
      if (policy !== undefined) policies.inc({ endpoint, policy });
      for (const { id, mode, failure } of applied) {
        if (failure === undefined) fixes.inc({ endpoint, fix: id, mode });
        else failures.inc({ endpoint, fix: id });
      }
    },
    upstreamAnswered: ({ upstream: name, method, status, seconds }) =>
      upstream.observe({ upstream: name, method, status }, seconds),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

interface RequestSeries {
  readonly requests: Counter.Internal;
  readonly duration: Histogram.Internal<string>;
  readonly sent: Counter.Internal;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other';
}
