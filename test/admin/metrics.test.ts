import { describe, expect, it } from 'vitest';
import { finishedRequest, samplesOf, someMetrics } from './records.ts';

describe('the metrics', () => {
  it('count requests, their time and their bytes by endpoint, kind, method, status and cache result', async () => {
    const metrics = someMetrics();
    metrics.requestFinished(finishedRequest());
    metrics.requestFinished(finishedRequest({ bytesSent: 11, seconds: 3 }));
    metrics.requestFinished(
      finishedRequest({ kind: 'upload', method: 'PATCH', status: 202, cache: undefined, bytesSent: 0 }),
    );
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'manifix_requests_total{endpoint="default",kind="manifest",method="GET",status="200",cache="hit"} 2',
        'manifix_requests_total{endpoint="default",kind="upload",method="PATCH",status="202",cache="none"} 1',
        'manifix_sent_bytes_total{endpoint="default",kind="manifest",cache="hit"} 111',
        'manifix_request_duration_seconds_bucket{le="0.25",endpoint="default",kind="manifest"} 1',
        'manifix_request_duration_seconds_sum{endpoint="default",kind="manifest"} 3.25',
        'manifix_request_duration_seconds_count{endpoint="default",kind="manifest"} 2',
      ]),
    );
  });

  it('count what fixes did, would have done, and failed at', async () => {
    const metrics = someMetrics();
    metrics.requestFinished(
      finishedRequest({
        fixes: [
          { id: 'accept-shape', mode: 'on', note: 'n' },
          { id: 'head-length', mode: 'observe', note: 'n' },
          { id: 'html-200', mode: 'on', note: 'n', failure: new Error('broken') },
        ],
      }),
    );
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'manifix_fixes_total{endpoint="default",fix="accept-shape",mode="on"} 1',
        'manifix_fixes_total{endpoint="default",fix="head-length",mode="observe"} 1',
        'manifix_fix_failures_total{endpoint="default",fix="html-200"} 1',
      ]),
    );
    expect((await samplesOf(metrics)).filter((line) => /^manifix_fixes_total.*html-200/.test(line))).toEqual([]);
  });

  it('time the answers of registries', async () => {
    const metrics = someMetrics();
    metrics.upstreamAnswered({ upstream: 'hub', method: 'HEAD', status: 200, seconds: 0.02 });
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'manifix_upstream_duration_seconds_bucket{le="0.025",upstream="hub",method="HEAD",status="200"} 1',
        'manifix_upstream_duration_seconds_count{upstream="hub",method="HEAD",status="200"} 1',
      ]),
    );
  });

  it('show the cache as it is when they are read', async () => {
    expect(await samplesOf(someMetrics())).toEqual(
      expect.arrayContaining([
        'manifix_cache_bytes 12345',
        'manifix_cache_blobs 2',
        'manifix_cache_degraded 1',
        'manifix_cache_fills_total 3',
        'manifix_cache_resumes_total 1',
        'manifix_cache_evictions_total 0',
        'manifix_cache_quarantines_total 4',
        'manifix_cache_mismatches_total 5',
        'manifix_cache_scrubbed_bytes_total 678',
      ]),
    );
  });

  it('show what limits refused, and what endpoints use of the cache', async () => {
    const samples = await samplesOf(someMetrics());
    expect(samples.filter((line) => /limited|endpoint_/.test(line))).toEqual([
      'manifix_limited_requests_total{endpoint="team-a",limit="perUser.requests"} 11',
      'manifix_endpoint_cache_bytes{endpoint="team-a"} 1024',
      'manifix_endpoint_cache_bytes{endpoint="team-b"} 512',
      'manifix_endpoint_quota_bytes{endpoint="team-a"} 2048',
      'manifix_endpoint_evictions_total{endpoint="team-a"} 12',
      'manifix_endpoint_evictions_total{endpoint="team-b"} 0',
    ]);
  });

  it('show connections as they are when they are read', async () => {
    expect(await samplesOf(someMetrics())).toEqual(
      expect.arrayContaining([
        'manifix_connections 7',
        'manifix_connections_refused_total{how="answered"} 8',
        'manifix_connections_refused_total{how="closed"} 9',
        'manifix_connections_refused_total{how="slow"} 10',
      ]),
    );
  });

  it('show the defects that registries are known to have', async () => {
    expect(await samplesOf(someMetrics())).toContain(
      'manifix_upstream_defects{upstream="hub",fix="head-unsupported"} 1',
    );
  });

  it('show which registries are asked, and which limit requests', async () => {
    expect(await samplesOf(someMetrics())).toEqual(
      expect.arrayContaining([
        'manifix_upstream_circuit{upstream="hub",origin="http://hub.test"} 1',
        'manifix_upstream_circuit{upstream="team",origin="http://team.test"} 0',
        'manifix_upstream_throttled{upstream="hub",origin="http://hub.test"} 1',
        'manifix_upstream_throttled{upstream="team",origin="http://team.test"} 0',
      ]),
    );
  });

  it('show how many requests a registry allows, where it tells', async () => {
    const samples = await samplesOf(someMetrics());
    expect(samples.filter((line) => line.includes('ratelimit'))).toEqual([
      'manifix_upstream_ratelimit_limit{upstream="team",origin="http://team.test"} 100',
      'manifix_upstream_ratelimit_remaining{upstream="team",origin="http://team.test"} 76',
    ]);
  });

  it('count what the cache answered, also while the registry is down, and the bytes that this saved', async () => {
    const metrics = someMetrics();
    metrics.requestFinished(finishedRequest({ cache: 'hit', bytesSent: 100 }));
    metrics.requestFinished(finishedRequest({ cache: 'stale', bytesSent: 20 }));
    for (const cache of ['miss', 'bypass', undefined] as const)
      metrics.requestFinished(finishedRequest({ cache, bytesSent: 3 }));
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining(['manifix_cache_hits_total 2', 'manifix_cache_saved_bytes_total 120']),
    );
  });

  it('are counters where they only grow, and show how late the event loop is', async () => {
    const text = await someMetrics().render();
    expect(text).toContain('# TYPE manifix_cache_fills_total counter\n');
    expect(text).toContain('# TYPE manifix_connections gauge\n');
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
  });

  it('have exactly these names and labels, so that neither paths nor clients make series', async () => {
    const metrics = someMetrics();
    metrics.requestFinished(
      finishedRequest({
        fixes: [
          { id: 'a', mode: 'on', note: 'n' },
          { id: 'b', mode: 'on', note: 'n', failure: 1 },
        ],
      }),
    );
    metrics.upstreamAnswered({ upstream: 'hub', method: 'GET', status: 200, seconds: 1 });
    const families = (await samplesOf(metrics)).map((line) => {
      const [, name = '', labels = ''] = /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? /.exec(line) ?? [];
      return `${name}(${[...labels.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le')})`;
    });
    expect([...new Set(families)].toSorted()).toEqual([
      'manifix_audit_lines_total()',
      'manifix_audit_lost_total()',
      'manifix_cache_blobs()',
      'manifix_cache_bytes()',
      'manifix_cache_degraded()',
      'manifix_cache_evictions_total()',
      'manifix_cache_fills_total()',
      'manifix_cache_hits_total()',
      'manifix_cache_mismatches_total()',
      'manifix_cache_quarantines_total()',
      'manifix_cache_resumes_total()',
      'manifix_cache_saved_bytes_total()',
      'manifix_cache_scrubbed_bytes_total()',
      'manifix_connections()',
      'manifix_connections_refused_total(how)',
      'manifix_endpoint_cache_bytes(endpoint)',
      'manifix_endpoint_evictions_total(endpoint)',
      'manifix_endpoint_quota_bytes(endpoint)',
      'manifix_fix_failures_total(endpoint,fix)',
      'manifix_fixes_total(endpoint,fix,mode)',
      'manifix_limited_requests_total(endpoint,limit)',
      'manifix_request_duration_seconds(endpoint,kind)',
      'manifix_requests_total(endpoint,kind,method,status,cache)',
      'manifix_sent_bytes_total(endpoint,kind,cache)',
      'manifix_upstream_circuit(upstream,origin)',
      'manifix_upstream_defects(upstream,fix)',
      'manifix_upstream_duration_seconds(upstream,method,status)',
      'manifix_upstream_ratelimit_limit(upstream,origin)',
      'manifix_upstream_ratelimit_remaining(upstream,origin)',
      'manifix_upstream_throttled(upstream,origin)',
    ]);
  });

  it('call every method that no registry knows the same', async () => {
    const metrics = someMetrics();
    for (const method of ['TRACE', 'PROPFIND', 'X-1'])
      metrics.requestFinished(finishedRequest({ method, status: 405 }));
    expect(await samplesOf(metrics)).toContain(
      'manifix_requests_total{endpoint="default",kind="manifest",method="other",status="405",cache="hit"} 3',
    );
  });
});
