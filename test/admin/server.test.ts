import { describe, expect, it } from 'vitest';
import { type AdminOptions, createAdminServer } from '../../src/admin/server.ts';
import { exchange } from '../support/http.ts';
import { listenOnLoopback } from '../support/ports.ts';
import { someMetrics } from './records.ts';

const untold = () => ({ wrong: '' });

/** What the listener answers to a GET, or to another method. */
async function answerTo(target: string, options: Partial<AdminOptions> = {}, method = 'GET') {
  const server = createAdminServer({
    metrics: someMetrics(),
    health: () => 'ok',
    upstreams: () => [],
    accepting: () => true,
    cache: { statistics: () => ({}), verify: async () => ({}), purge: async () => ({}) },
    tags: { history: untold, pin: untold, unpin: untold, rollback: untold },
    tokens: { list: () => [], issue: () => ({ wrong: '' }), revoke: () => false },
    tools: { explain: async () => ({ told: {} }), report: () => ({}), usage: () => ({}), drill: async () => ({}) },
    ...options,
  });
  try {
    const answer = await exchange(`http://127.0.0.1:${await listenOnLoopback(server)}`, { method, target });
    return { status: answer.status, type: answer.header('Content-Type'), text: answer.body.toString() };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const jsonOf = async (...request: Parameters<typeof answerTo>) => {
  const { status, text } = await answerTo(...request);
  return { status, content: JSON.parse(text) };
};

describe('the admin listener', () => {
  it('says that the process lives, also while it stops or something is broken', async () => {
    const broken: Partial<AdminOptions> = { accepting: () => false, health: () => ({ degraded: 'disk full' }) };
    for (const options of [{}, broken]) {
      expect(await jsonOf('/healthz', options)).toEqual({ status: 200, content: { status: 'ok' } });
    }
  });

  it('says that it is ready, and still so when degraded, since requests are answered', async () => {
    expect(await jsonOf('/readyz')).toEqual({ status: 200, content: { status: 'ok' } });
    const health = () => ({ degraded: 'the cache directory cannot be written' });
    expect(await jsonOf('/readyz', { health })).toEqual({
      status: 200,
      content: { status: 'degraded', reason: 'the cache directory cannot be written' },
    });
  });

  it('tells which registries are not asked and why, and is ready all the same', async () => {
    const hub = { upstream: 'hub', origin: 'http://hub.test', state: 'closed', throttled: false } as const;
    const upstreams = () => [
      hub,
      { ...hub, upstream: 'team', state: 'open', reason: 'it refused the connection' } as const,
      { ...hub, upstream: 'quay', throttled: true },
      { ...hub, upstream: 'rich', budget: { limit: 100, remaining: 50, share: 0.5 } },
      { ...hub, upstream: 'short', budget: { limit: 100, remaining: 40, share: 0.4 } },
      { ...hub, upstream: 'poor', budget: { limit: 100, remaining: 3, share: 0.03 } },
    ];
    expect(await jsonOf('/readyz', { upstreams })).toEqual({
      status: 200,
      content: {
        status: 'ok',
        upstreams: {
          'team http://hub.test': 'it refused the connection',
          'quay http://hub.test': 'limits requests (429)',
          'short http://hub.test': 'allowed 40 more requests of 100 when it last told; tags are believed for longer',
          'poor http://hub.test':
            'allowed 3 more requests of 100 when it last told; known tags are answered without asking it',
        },
      },
    });
  });

  it('is not ready from the start of the shutdown on', async () => {
    expect(await jsonOf('/readyz', { accepting: () => false })).toEqual({
      status: 503,
      content: { status: 'stopping' },
    });
  });

  it('gives metrics in the text format of Prometheus', async () => {
    const { status, type, text } = await answerTo('/metrics');
    expect(status).toBe(200);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('# TYPE manifix_requests_total counter\n');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it.each([
    ['/', 'GET'],
    ['/v2/', 'GET'],
    ['/metrics', 'POST'],
    ['/healthz/x', 'GET'],
  ])('has nothing else: %s by %s', async (target, method) => {
    const { status, content } = await jsonOf(target, {}, method);
    expect(status).toBe(404);
    expect(content.paths).toEqual(expect.arrayContaining(['/healthz', '/readyz', '/metrics', '/cache/stats']));
  });

  it('answers HEAD, as some probes ask', async () => {
    expect(await answerTo('/healthz', {}, 'HEAD')).toMatchObject({ status: 200, text: '' });
  });
});
