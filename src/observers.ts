import { createMetrics, type Metrics, type MetricsSources } from './admin/metrics.ts';
import { createTelemetry } from './admin/telemetry.ts';
import { createUsage, type Usage, type UsageSettings } from './admin/usage.ts';
import { createOffenders, type Offenders } from './explain/offenders.ts';
import type { AppHooks } from './explain/throw-away.ts';
import { systemClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import type { Telemetry } from './pipeline/ports.ts';
import type { AuditLog } from './store/audit-log.ts';
import type { Store } from './store/open-store.ts';

/** Those who hear of every request, and what they make of it. */
export interface Observers {
  readonly metrics: Metrics;
  readonly usage: Usage;
  readonly offenders: Offenders;
  /** Tells all of them. */
  readonly telemetry: Telemetry;
}

interface Observed {
  readonly logger: Logger;
  readonly auditLog: Pick<AuditLog, 'record'>;
  readonly store: Pick<Store, 'usageRecords'>;
  readonly usage: UsageSettings;
  readonly metrics: MetricsSources;
  readonly hooks: Pick<AppHooks, 'requestFinished'>;
}

export function createObservers({ logger, auditLog, store, hooks, ...settings }: Observed): Observers {
  const metrics = createMetrics(settings.metrics);
  const usage = createUsage(store.usageRecords, systemClock, settings.usage);
  const offenders = createOffenders(Date.now);
  const operator = createTelemetry(logger, metrics, auditLog.record);
  const all = [operator, offenders, usage, hooks].flatMap(({ requestFinished }) => requestFinished ?? []);
  const telemetry: Telemetry = {
    ...operator,
    requestFinished(request) {
      for (const requestFinished of all) requestFinished(request);
    },
  };
  return { metrics, usage, offenders, telemetry };
}
