import { Counter, Histogram, type Registry } from 'prom-client';
import type { FinishedRequest } from '../pipeline/ports.ts';
import type { SavedFigures } from './figures.ts';

/** The metrics that every request adds to. */
export interface RequestMetrics {
  count(request: FinishedRequest): void;
  readonly saved: SavedFigures;
}

/** What a request adds to whatever became of it, by its labels. */
interface RequestSeries {
  readonly requests: Counter.Internal;
  readonly duration: Histogram.Internal<string>;
  readonly sent: Counter.Internal;
}

/** From a cached answer to one that a registry took its time for. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function createRequestMetrics(registers: Registry[]): RequestMetrics {
  const seriesOf = requestSeries(registers);
  const countApplied = appliedCounters(registers);
  const saved = { answers: 0, bytes: 0 };
  return {
    saved,
    count(request) {
      const { cache, bytesSent } = request;
      const { requests, duration, sent } = seriesOf(request);
      requests.inc();
      duration.observe(request.seconds);
      sent.inc(bytesSent);
      if (cache === 'hit' || cache === 'stale') {
        saved.answers += 1;
        saved.bytes += bytesSent;
      }
      countApplied(request);
    },
  };
}

/** Finds the series of a request. Looking one up by its labels costs more than a whole cached answer, so that they are kept. */
function requestSeries(registers: Registry[]): (request: FinishedRequest) => RequestSeries {
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
  const known = new Map<string, RequestSeries>();
  return ({ endpoint, kind, method, status, cache = 'none' }) => {
    const key = `${endpoint} ${kind} ${method} ${status} ${cache}`;
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const isKnown = METHODS.has(method);
    const series = {
      requests: requests.labels({ endpoint, kind, method: isKnown ? method : 'other', status, cache }),
      duration: duration.labels({ endpoint, kind }),
      sent: sent.labels({ endpoint, kind, cache }),
    };
    // Anybody can make up a method.
    if (isKnown) known.set(key, series);
    return series;
  };
}

/** Counts what fixes and policies did to a request. */
function appliedCounters(registers: Registry[]): (request: FinishedRequest) => void {
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
  return ({ endpoint, policy, fixes: applied }) => {
    if (policy !== undefined) policies.inc({ endpoint, policy });
    for (const { id, mode, failure } of applied) {
      if (failure === undefined) fixes.inc({ endpoint, fix: id, mode });
      else failures.inc({ endpoint, fix: id });
    }
  };
}
