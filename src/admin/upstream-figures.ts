import { Gauge, type Registry } from 'prom-client';
import { BUDGET_ENDS, BUDGET_SHRINKS } from '../domain/tag-policy.ts';

/** How one URL of an upstream does when metrics are read. */
export interface UpstreamCondition {
  readonly upstream: string;
  /** `scheme://host:port` */
  readonly origin: string;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly throttled: boolean;
  /** Why it is not asked. */
  readonly reason?: string;
  /** How many requests it allows, as it said last, and the part of them that is left by now. */
  readonly budget?: { readonly limit: number; readonly remaining: number; readonly share: number };
}

export type UpstreamConditions = () => readonly UpstreamCondition[];

const CIRCUIT = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Makes the metrics that tell how registries do; what is not configured any more has no series. */
export function addUpstreamFigures(registers: Registry[], conditions: UpstreamConditions): void {
  const labelNames = ['upstream', 'origin'] as const;
  const gauge = (name: string, help: string, read: (condition: UpstreamCondition) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const condition of conditions()) {
          const value = read(condition);
          if (value !== undefined) this.set({ upstream: condition.upstream, origin: condition.origin }, value);
        }
      },
    });
  gauge(
    'manifix_upstream_circuit',
    '0 while a registry is asked, 2 while it is not, 1 while one question tries',
    (each) => CIRCUIT[each.state],
  );
  gauge('manifix_upstream_throttled', '1 while a registry limits requests (429)', (each) => (each.throttled ? 1 : 0));
  gauge('manifix_upstream_ratelimit_limit', 'Requests that a registry allows', ({ budget }) => budget?.limit);
  gauge(
    'manifix_upstream_ratelimit_remaining',
    'Requests that a registry still allowed when it last told',
    ({ budget }) => budget?.remaining,
  );
}

/** Which registries do not answer, limit requests or are about to, and why, for the readiness answer; undefined when all do well. */
export function upstreamTroubles(conditions: UpstreamConditions): Readonly<Record<string, string>> | undefined {
  const troubles = conditions().flatMap(({ upstream, origin, reason, throttled, budget }) => {
    const trouble = reason ?? (throttled ? 'limits requests (429)' : shortage(budget));
    return trouble === undefined ? [] : [[`${upstream} ${origin}`, trouble] as const];
  });
  return troubles.length === 0 ? undefined : Object.fromEntries(troubles);
}

/** What a shrinking budget means for clients. */
function shortage(budget: UpstreamCondition['budget']): string | undefined {
  if (budget === undefined || budget.share >= BUDGET_SHRINKS) return undefined;
  const consequence =
    budget.share < BUDGET_ENDS ? 'known tags are answered without asking it' : 'tags are believed for longer';
  return `allowed ${budget.remaining} more requests of ${budget.limit} when it last told; ${consequence}`;
}
