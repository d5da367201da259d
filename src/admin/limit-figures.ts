import { Counter, Gauge, type Registry } from 'prom-client';

/** What the limits of endpoints did and what is used of them when metrics are read. */
export interface LimitFigures {
  /** Since the start. */
  limited(): readonly { readonly endpoint: string; readonly limit: string; readonly count: number }[];
  /** Nothing where no endpoint has a quota. `evicted` counts since the start. */
  uses(): readonly {
    readonly endpoint: string;
    readonly quota: number | undefined;
    readonly bytes: number;
    readonly evicted: number;
  }[];
}

/** Makes the metrics of limits; what is not limited has no series. */
export function addLimitFigures(registers: Registry[], figures: LimitFigures): void {
  new Counter({
    name: 'manifix_limited_requests_total',
    help: 'Requests that a limit of their endpoint refused',
    labelNames: ['endpoint', 'limit'] as const,
    registers,
    collect() {
      this.reset();
      for (const { endpoint, limit, count } of figures.limited()) this.inc({ endpoint, limit }, count);
    },
  });
  const reading = (
    Kind: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    key: 'quota' | 'bytes' | 'evicted',
  ) =>
    new Kind({
      name,
      help,
      labelNames: ['endpoint'] as const,
      registers,
      collect() {
        this.reset();
        for (const use of figures.uses()) {
          const value = use[key];
          if (value !== undefined) this.inc({ endpoint: use.endpoint }, value);
        }
      },
    });
  reading(
    Gauge,
    'manifix_endpoint_cache_bytes',
    'Bytes of the cache that an endpoint uses, shared ones included',
    'bytes',
  );
  reading(Gauge, 'manifix_endpoint_quota_bytes', 'Bytes of the cache that an endpoint may use', 'quota');
  reading(
    Counter,
    'manifix_endpoint_evictions_total',
    'Blobs and manifests that an endpoint lost to its quota',
    'evicted',
  );
}
