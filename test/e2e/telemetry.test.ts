import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { respond, rst } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { fromCache } from './answers.ts';

const accept = { Accept: manifestTypes.join(', ') };
const SECRET = 's3cr3t-value';

describe('what the operator is told', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const metrics = async () => (await exchange(manifix.adminUrl, { target: '/metrics' })).body.toString();
  /** The value of a series; labels in any order. */
  async function value(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
    const wanted = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    const line = (await metrics())
      .split('\n')
      .find((text) => text.startsWith(`${name}{`) && wanted.every((label) => text.includes(label)));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  it('metrics count requests by endpoint, kind, method, status and cache result, and their bytes', async () => {
    const target = `/v2/counted/blobs/${sampleImage('oci-amd64').blobs[0]?.digest}`;
    const labels = { endpoint: 'default', kind: 'blob', method: 'GET', status: '200', cache: 'hit' };
    await fromCache(() => exchange(manifix.url, { target }));
    const [requests, bytes] = [
      await value('manifix_requests_total', labels),
      await value('manifix_sent_bytes_total', { kind: 'blob', cache: 'hit' }),
    ];
    const answer = await exchange(manifix.url, { target });
    expect(await value('manifix_requests_total', labels)).toBe(requests + 1);
    expect(await value('manifix_sent_bytes_total', { kind: 'blob', cache: 'hit' })).toBe(bytes + answer.body.length);
    expect(await value('manifix_request_duration_seconds_count', { kind: 'blob' })).toBeGreaterThan(1);
    expect(await value('manifix_upstream_duration_seconds_count', { method: 'GET', status: '200' })).toBeGreaterThan(0);
    expect(await metrics()).toMatch(/^manifix_cache_bytes [1-9]\d*$/m);
  });

  it('metrics count each fix that changed an exchange', async () => {
    const labels = { endpoint: 'default', fix: 'content-type-generic', mode: 'on' };
    const before = await value('manifix_fixes_total', labels);
    await exchange(manifix.url, { target: '/v2/ct-json/manifests/index', headers: accept });
    await exchange(manifix.url, { target: '/v2/healthy/manifests/index', headers: accept });
    expect(await value('manifix_fixes_total', labels)).toBeGreaterThan(before);
  });

  it('metrics have no series that clients can make up', async () => {
    await exchange(manifix.url, { method: 'GET', target: `/v2/${'nobody-'.repeat(3)}x/manifests/none` });
    await exchange(manifix.url, { target: '/v2/../made-up' });
    expect(await metrics()).not.toMatch(/nobody-|made-up/);
  });

  it('the admin listener has health, readiness and metrics, and nothing of the registry', async () => {
    for (const target of ['/healthz', '/readyz']) {
      const answer = await exchange(manifix.adminUrl, { target });
      expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { status: 'ok' }]);
    }
    expect((await exchange(manifix.adminUrl, { target: '/v2/' })).status).toBe(404);
    expect((await exchange(manifix.url, { target: '/metrics' })).status).toBe(404);
    expect((await exchange(manifix.url, { target: '/healthz' })).status).toBe(404);
  });

  it('each request is one log line with an id of its own, what was asked, and what the fixes did', async () => {
    await exchange(manifix.url, {
      target: '/v2/ct-json/logged/manifests/list',
      headers: { ...accept, 'User-Agent': 'logged/1.0' },
    });
    await manifix.outputMatches(/ct-json\/logged.*\n/);
    const lines = manifix
      .output()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line): Record<string, unknown> => JSON.parse(line));
    const logged = lines.filter(({ path }) => path === '/v2/ct-json/logged/manifests/list');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({
      msg: 'request',
      endpoint: 'default',
      kind: 'manifest',
      method: 'GET',
      status: 200,
      client: '127.0.0.1',
      userAgent: 'logged/1.0',
      fixes: expect.arrayContaining([
        { id: 'content-type-generic', mode: 'on', note: expect.stringContaining('application/json') },
      ]),
    });
    const ids = lines.filter(({ msg }) => msg === 'request').map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('secrets', () => {
  it('are in no log line, no metric and no answer to somebody else', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: upstream.url, env: { MANIFIX_LOG_LEVEL: 'debug' } });
    const digest = `sha256:${'0'.repeat(64)}`;
    const presigned = `http://127.0.0.1:1/bucket?X-Amz-Signature=${SECRET}`;
    upstream.on('GET', /\/redirected\//, [respond(307, [['Location', presigned]])]);
    upstream.on('POST', /uploads/, [respond(202, [['Location', presigned]])]);
    upstream.on('PUT', /broken/, [rst()]);
    upstream.on('GET', /token/, [respond(401, [['WWW-Authenticate', `Bearer realm="x",error="${SECRET}"`]])]);
    const headers = { Authorization: `Bearer ${SECRET}`, Cookie: `session=${SECRET}` };
    const requests = [
      { target: `/v2/redirected/a/blobs/${digest}` },
      { target: '/v2/redirected/a/manifests/1' },
      { method: 'POST', target: `/v2/a/blobs/uploads/?_state=${SECRET}` },
      { method: 'PUT', target: `/v2/a/blobs/uploads/broken?_state=${SECRET}&digest=${digest}`, body: 'x' },
      { method: 'PUT', target: `/v2/a/blobs/uploads/1?_state=${SECRET}?digest=${digest}`, body: 'x' },
      { target: `/v2/a/token?account=a&password=${SECRET}` },
      { target: `/v2/../bad?token=${SECRET}` },
      { target: `http://user:${SECRET}@registry.test/v2/a/manifests/1?x=${SECRET}` },
      { method: 'BREW', target: `/v2/a/manifests/1?x=${SECRET}` },
    ];
    const answers = [];
    for (const request of requests) {
      const answer = await exchange(manifix.url, { ...request, headers }).catch(() => undefined);
      answers.push(answer?.body.toString() ?? '');
    }
    // What leads to the presigned URL is in the path of the next request.
    const opened = await exchange(manifix.url, { method: 'POST', target: '/v2/a/blobs/uploads/', headers });
    const sealed = (opened.header('Location') ?? '').slice(manifix.url.length);
    await exchange(manifix.url, { method: 'PATCH', target: sealed, headers, body: 'x' });
    const metrics = await exchange(manifix.adminUrl, { target: '/metrics' });
    await manifix.terminate();
    expect(manifix.output()).toContain('"path":"/v2/redirected/a/manifests/1"');
    expect(manifix.output()).not.toContain(SECRET);
    expect(manifix.output()).toMatch(/"path":"\/v2\/a\/blobs\/uploads\/manifix~/);
    for (const [, id = ''] of manifix.output().matchAll(/manifix~([\w-]+)/g)) {
      expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain(SECRET);
    }
    expect(metrics.body.toString()).not.toContain(SECRET);
    expect(answers.join()).not.toContain(SECRET);
  });
});

it('the log tells once that a registry fails, and why, while clients get what is known', async () => {
  await using registry = await startScriptedUpstream();
  const image = sampleImage('oci-amd64');
  registry.on('GET', /./, [respond(200, [['Content-Type', image.mediaType]], image.bytes)]);
  await using manifix = await startManifix({
    config: { upstreams: { hub: { url: registry.url } }, cache: { tagTtl: '0s' } },
  });
  const pull = () => exchange(manifix.url, { target: '/v2/app/manifests/1', headers: accept });
  await pull();
  await registry.stop();
  for (const _ of [1, 2, 3]) expect((await pull()).header('Cache-Status')).toContain('fwd=stale');
  await manifix.outputMatches(/"msg":"a registry fails; what is known is served from the cache"/);
  const lines = manifix
    .output()
    .split('\n')
    .filter((line) => line.includes('a registry fails'));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { upstream: 'hub', origin: registry.url, reason: `The registry hub (${registry.url}) refused the connection` },
  ]);
});
