import { Gauge, type Registry } from 'prom-client';

/** How one URL of an upstream does when metrics are read. */
export interface UpstreamCondition {
  readonly upstream: string;
  /** `scheme://host:port` */
  readonly origin: string;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly throttled: boolean;
  /** Why it is not asked. */
  readonly reason?: string;
}

export type UpstreamConditions = () => readonly UpstreamCondition[];

const CIRCUIT = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Makes the metrics that tell how registries do; what is not configured any more has no series. */
export function addUpstreamFigures(registers: Registry[], conditions: UpstreamConditions): void {
  const labelNames = ['upstream', 'origin'] as const;
  const gauge = (name: string, help: string, read: (condition: UpstreamCondition) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const condition of conditions()) {
          this.set({ upstream: condition.upstream, origin: condition.origin }, read(condition));
        }
      },
    });
  gauge(
    'manifix_upstream_circuit',
    '0 while a registry is asked, 2 while it is not, 1 while one question tries',
    (each) => CIRCUIT[each.state],
  );
  gauge('manifix_upstream_throttled', '1 while a registry limits requests (429)', (each) => (each.throttled ? 1 : 0));
}

/** Which registries do not answer or limit requests, and why, for the readiness answer; undefined when all do well. */
export function upstreamTroubles(conditions: UpstreamConditions): Readonly<Record<string, string>> | undefined {
  const troubles = conditions().flatMap(({ upstream, origin, reason, throttled }) => {
    const trouble = reason ?? (throttled ? 'limits requests (429)' : undefined);
    return trouble === undefined ? [] : [[`${upstream} ${origin}`, trouble] as const];
  });
  return troubles.length === 0 ? undefined : Object.fromEntries(troubles);
}
