import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { headerValue } from '../support/headers.ts';
import { exchange } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { describeWithTools } from '../support/tools.ts';
import { fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';
import { freshBytes } from './streaming-client.ts';

const MIB = 1024 * 1024;

describe('cached blobs', () => {
  let registry: RegistryDouble;

  beforeAll(async () => {
    registry = await startRegistryDouble();
  });
  afterAll(() => registry.stop());

  const store = (bytes: Buffer) => `/v2/app/blobs/${registry.content.putBlob('app', bytes)}`;
  const fetches = (target: string) =>
    registry.requests.filter((request) => request.method === 'GET' && request.target === target).length;

  it.each(['restart', 'kill -9'])('survive a %s', async (end) => {
    await using manifix = await startManifix({ upstream: registry.url });
    const bytes = freshBytes(MIB);
    const target = store(bytes);
    await fromCache(() => exchange(manifix.url, { target }));
    if (end === 'kill -9') await manifix.kill9();
    await manifix.restart();
    const answer = await exchange(manifix.url, { target });
    expect(answer.header('Cache-Status')).toBe('manifix; hit');
    expect(answer.body).toEqual(bytes);
    expect(fetches(target)).toBe(1);
  });

  it('give way to newer ones when they outgrow cache.maxSize, the least recently used first', async () => {
    const env = { MANIFIX_CACHE_MAX_SIZE: '4MiB' };
    await using manifix = await startManifix({ upstream: registry.url, env });
    const figure = async (name: string) => {
      const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body.toString())?.[1]);
    };
    const targets = Array.from({ length: 6 }, () => store(freshBytes(MIB)));
    for (const target of targets) await fromCache(() => exchange(manifix.url, { target }));
    await eventually('the cache is within its size', async () => {
      return (await figure('manifix_cache_bytes')) <= 4 * MIB || undefined;
    });
    const [oldest = '', newest = ''] = [targets[0], targets.at(-1)];
    expect((await exchange(manifix.url, { target: newest })).header('Cache-Status')).toBe('manifix; hit');
    const evicted = await exchange(manifix.url, { target: oldest });
    expect(evicted.header('Cache-Status')).toContain('fwd=miss');
    expect(sha256(evicted.body)).toBe(oldest.slice('/v2/app/blobs/'.length));
  });

  it('are served while the registry is down, to those who read them without credentials', async () => {
    await using shortLived = await startRegistryDouble();
    await using manifix = await startManifix({ upstream: shortLived.url });
    const bytes = freshBytes(1000);
    const target = `/v2/app/blobs/${shortLived.content.putBlob('app', bytes)}`;
    await fromCache(() => exchange(manifix.url, { target }));
    await shortLived.stop();
    for (const moment of ['soon', 'after a restart']) {
      if (moment === 'after a restart') await manifix.restart();
      const answer = await exchange(manifix.url, { target });
      expect([answer.status, answer.body], moment).toEqual([200, bytes]);
    }
    const missing = await exchange(manifix.url, { target: `/v2/app/blobs/${sha256('missing')}` });
    expect([missing.status, firstError(missing.body).code]).toEqual([502, 'UNAVAILABLE']);
  });
});

describe('credentials', () => {
  let registry: ScriptedUpstream;
  let storage: ScriptedUpstream;

  beforeAll(async () => {
    [registry, storage] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  });
  afterAll(() => Promise.all([registry.stop(), storage.stop()]));

  it('stay with the registry: storage on another port gets none, another path of the registry does', async () => {
    await using manifix = await startManifix({ upstream: registry.url });
    const bytes = freshBytes(100);
    const digest = sha256(bytes);
    const path = `/v2/app/blobs/${digest}`;
    registry.on('GET', new RegExp(`^${path}$`), [respond(307, [['Location', '/inner?step=2']])]);
    registry.on('GET', /^\/inner\?step=2$/, [
      respond(307, [['Location', `${storage.url}/bucket?X-Amz-Signature=s3cret`]]),
    ]);
    storage.on('GET', /^\/bucket/, [respond(200, [], bytes)]);
    const headers = { Authorization: 'Bearer t0ken', Cookie: 'session=1', 'Proxy-Authorization': 'Basic cHJveHk=' };
    const answer = await exchange(manifix.url, { target: path, headers });
    expect(answer.body).toEqual(bytes);
    const seen = [...registry.requests, ...storage.requests].map(({ headers: received }) => ({
      authorization: headerValue(received, 'Authorization'),
      proxy: headerValue(received, 'Proxy-Authorization'),
    }));
    expect(seen).toEqual([
      { authorization: 'Bearer t0ken', proxy: undefined },
      { authorization: 'Bearer t0ken', proxy: undefined },
      { authorization: undefined, proxy: undefined },
    ]);
    expect(headerValue(storage.requests[0]?.headers ?? [], 'Cookie')).toBeUndefined();
    expect(answer.headers.flat().join()).not.toContain('s3cret');
    expect(manifix.output()).not.toMatch(/s3cret|t0ken/);
  });
});

describe('uploads that the registry sends to storage', () => {
  it('go there through manifix, without the credentials', async () => {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: registry.url });
    const headers = { Authorization: 'Bearer t0ken' };
    registry.on('POST', /uploads/, [respond(202, [['Location', `${storage.url}/put?signature=1`]])]);
    storage.on('PUT', /^\/put/, [respond(201)]);
    const opened = await exchange(manifix.url, { method: 'POST', target: '/v2/app/blobs/uploads/', headers });
    const location = opened.header('Location') ?? '';
    expect(location).toMatch(new RegExp(`^${manifix.url}/v2/app/blobs/uploads/`));
    const digest = sha256('content');
    const target = `${location.slice(manifix.url.length)}&digest=${digest}`;
    const put = await exchange(manifix.url, { method: 'PUT', target, headers, body: 'content' });
    expect([put.status, put.header('Docker-Content-Digest')]).toEqual([201, digest]);
    const [received] = storage.requests;
    expect([received?.target, received?.body.toString()]).toEqual([`/put?signature=1&digest=${digest}`, 'content']);
    expect(headerValue(received?.headers ?? [], 'Authorization')).toBeUndefined();
    // Nobody can make up such a location.
    const forged = target.replace(/.(?=\?)/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await exchange(manifix.url, { method: 'PUT', target: forged, headers, body: 'x' })).status).toBe(404);
    expect(storage.requests).toHaveLength(1);
  });
});

describeWithTools('blobs of a private repository', ['docker-registry'], () => {
  it('are served from the cache only to those whom the registry lets read them', async () => {
    // The password is "secret".
    const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
    await using registry = await startDockerRegistry({ htpasswd });
    await using manifix = await startManifix({ upstream: registry.url });
    const credentials = { Authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };
    const image = sampleImage('oci-amd64');
    await pushImage(registry.url, 'private/app', '1', image, credentials);
    const digest = image.blobs[0]?.digest;
    const ask = (headers: Record<string, string>, repository = 'private/app') =>
      exchange(manifix.url, { target: `/v2/${repository}/blobs/${digest}`, headers });

    expect((await ask({})).status).toBe(401);
    await fromCache(() => ask(credentials));
    for (const wrong of [{}, { Authorization: 'Basic d3Jvbmc6d3Jvbmc=' }, { Authorization: 'Bearer x' }]) {
      const answer = await ask(wrong);
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toContain('Basic realm=');
      expect(firstError(answer.body).code).toBe('UNAUTHORIZED');
    }
    // The digest is known and cached, but this repository does not have it.
    expect((await ask(credentials, 'private/other')).status).toBe(404);
    expect((await ask(credentials)).status).toBe(200);
    await registry.stop();
    await manifix.restart();
    expect((await ask({})).status).toBe(502);
  });
});
