import type { Metrics } from '../../src/admin/metrics.ts';
import { createMetrics } from '../../src/admin/metrics.ts';
import type { FinishedRequest } from '../../src/pipeline/ports.ts';

/** The record of a manifest that was served from the cache, where not told otherwise. */
export function finishedRequest(overrides: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    id: 'run-1',
    endpoint: 'default',
    kind: 'manifest',
    method: 'GET',
    path: '/v2/team/app/manifests/latest',
    status: 200,
    cache: 'hit',
    bytesSent: 100,
    seconds: 0.25,
    client: '127.0.0.1',
    userAgent: 'test/1',
    fixes: [],
    ...overrides,
  };
}

/** Metrics of a cache with two blobs, of a listener with seven connections and of a registry with one defect. */
export function someMetrics(): Metrics {
  return createMetrics({
    cache: {
      usage: () => ({ bytes: 12_345, blobs: 2 }),
      health: () => ({ degraded: 'disk full' }),
      counters: () => ({ fills: 3, resumed: 1, evicted: 0, damaged: 4, mismatched: 5, scrubbed: 678 }),
    },
    connections: () => ({ open: 7, refused: 8, dropped: 9, slow: 10 }),
    defects: { list: () => [{ upstream: 'hub', fix: 'head-unsupported' }] },
    upstreams: () => [
      { upstream: 'hub', origin: 'http://hub.test', state: 'half-open', throttled: true },
      {
        ...{ upstream: 'team', origin: 'http://team.test', state: 'closed', throttled: false },
        budget: { limit: 100, remaining: 76, share: 0.76 },
      },
    ],
    limits: {
      limited: () => [{ endpoint: 'team-a', limit: 'perUser.requests', count: 11 }],
      uses: () => [
        { endpoint: 'team-a', quota: 2048, bytes: 1024, evicted: 12 },
        { endpoint: 'team-b', quota: undefined, bytes: 512, evicted: 0 },
      ],
    },
    audit: () => ({ recorded: 11, lost: 12 }),
  });
}

/** The samples of the program's own metrics, as Prometheus reads them. */
export async function samplesOf(metrics: Metrics): Promise<readonly string[]> {
  const lines = (await metrics.render()).split('\n');
  return lines.filter((line) => line.startsWith('manifix_'));
}
