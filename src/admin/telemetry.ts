import type { AuditEvent } from '../domain/audit.ts';
import type { Logger } from '../lib/logger.ts';
import type { FinishedRequest, Telemetry } from '../pipeline/ports.ts';
import type { Metrics } from './metrics.ts';

/** Tells the operator by counters, by log lines (one per request, one per fix that failed for the first time) and by the audit log. */
export function createTelemetry(logger: Logger, metrics: Metrics, audit: (event: AuditEvent) => void): Telemetry {
  const failed = new Set<string>();
  return {
    requestFinished(request) {
      metrics.requestFinished(request);
      const incomplete = request.error !== undefined && request.status < 400 && !clientLeft(request);
      const level = request.status >= 500 || incomplete ? 'warn' : 'info';
      if (logger.isLevelEnabled(level)) logger[level](logFields(request), 'request');
      for (const { id, note, failure } of request.fixes) {
        if (failure === undefined || failed.has(id)) continue;
        failed.add(id);
        logger.error({ endpoint: request.endpoint, fix: id, note, err: failure }, 'a fix failed');
      }
    },
    warn: (message, facts) => logger.warn(facts, message),
    audit,
  };
}

/** The fields of a request's log line. They hold no query, no credentials and no header field but User-Agent. */
function logFields(request: FinishedRequest): Record<string, unknown> {
  // The path has the repository, as the client calls it.
  const { fixes, error, seconds, cache, userAgent, repository: _, ...rest } = request;
  return {
    ...rest,
    milliseconds: Math.round(seconds * 1e6) / 1e3,
    ...(cache === undefined ? {} : { cache }),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(fixes.length === 0 ? {} : { fixes: fixes.map(({ id, mode, note }) => ({ id, mode, note })) }),
    ...(error === undefined ? {} : clientLeft(request) ? { clientLeft: true } : { err: error }),
  };
}

/** Clients leave all the time, and a stack says nothing about it. */
function clientLeft({ error }: FinishedRequest): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
