import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { essence, fixesOf } from './answers.ts';

const index = sampleImage('index');
const [amd64, arm64] = index.children;
const onlyImages = { Accept: `${mediaTypes.dockerManifest}, ${mediaTypes.ociManifest}` };

describe('clients that read images and no index', () => {
  let injector: DefectInjector;
  let manifix: Manifix;
  let plain: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    const upstreams = { registry: { url: injector.url } };
    const endpoints = [
      { name: 'legacy', profile: 'legacy' },
      {
        name: 'arm',
        host: 'arm.local',
        profile: 'legacy',
        fixes: { 'list-for-image-only-client': { platform: 'linux/arm64' } },
      },
    ];
    manifix = await startManifix({ config: { upstreams, endpoints } });
    plain = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), plain.stop(), injector.stop()]));

  function ask(server: { url: string }, reference: string, method = 'GET', headers = {}): Promise<HttpAnswer> {
    const target = `/v2/healthy/manifests/${reference}`;
    return exchange(server.url, { method, target, headers: { ...onlyImages, ...headers } });
  }

  it('get an index that they cannot read from a registry that ignores Accept, and by default through manifix', async () => {
    expect((await ask(injector, 'index')).body).toEqual(index.bytes);
    expect((await ask(plain, 'index')).body).toEqual(index.bytes);
  });

  it('get the image of the platform by tag, alike by HEAD, which may come first, and GET, cold and warm', async () => {
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET']) {
      const answer = await ask(manifix, 'index', method);
      expect(essence(answer)).toMatchObject({
        status: 200,
        type: mediaTypes.ociManifest,
        length: String(amd64?.bytes.length),
        digest: amd64?.digest,
      });
      expect(answer.header('ETag')).toBe(`"${amd64?.digest}"`);
      expect(answer.header('Cache-Control')).toBe('no-cache');
      expect(answer.header('Vary')).toBe('Accept');
      expect(answer.body).toEqual(method === 'GET' ? amd64?.bytes : Buffer.alloc(0));
      expect(fixesOf(answer)).toContain('list-for-image-only-client');
    }
  });

  it('get that of another platform where the endpoint says so', async () => {
    const answer = await ask(manifix, 'index', 'GET', { Host: 'arm.local' });
    expect(answer.body).toEqual(arm64?.bytes);
  });

  it('revalidate the image by its own digest', async () => {
    expect((await ask(manifix, 'index', 'GET', { 'If-None-Match': `"${amd64?.digest}"` })).status).toBe(304);
    expect((await ask(manifix, 'index', 'GET', { 'If-None-Match': `"${index.digest}"` })).status).toBe(200);
  });

  it('leave the index to everyone else, and by digest to all', async () => {
    expect((await ask(manifix, index.digest)).body).toEqual(index.bytes);
    expect((await ask(manifix, 'index', 'GET', { Accept: manifestTypes.join(', ') })).body).toEqual(index.bytes);
    expect((await ask(manifix, 'index', 'GET', { Accept: '*/*' })).body).toEqual(index.bytes);
    const direct = await ask(injector, 'oci-amd64');
    expect((await ask(manifix, 'oci-amd64')).body).toEqual(direct.body);
  });

  it('get the index when its image was never pushed', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const incomplete = index.bytes.toString().replaceAll(amd64?.digest ?? '', digest);
    injector.content.putManifest('', 'incomplete', { bytes: Buffer.from(incomplete), mediaType: mediaTypes.ociIndex });
    expect((await ask(manifix, 'incomplete')).body.toString()).toBe(incomplete);
  });
});

describeWithTools('clients that read images and no index, at docker-registry', ['docker-registry'], () => {
  it('get the image of an index that the registry hides from them, alike by HEAD and GET, cold and warm', async () => {
    await using registry = await startDockerRegistry();
    await pushImage(registry.url, 'app', 'index', index);
    const ask = (url: string, method = 'GET') =>
      exchange(url, { method, target: '/v2/app/manifests/index', headers: onlyImages });
    const hidden = await ask(registry.url);
    expect([hidden.status, hidden.body.toString()]).toEqual([404, expect.stringContaining('does not support OCI ind')]);
    const upstreams = { registry: { url: registry.url } };
    for (const first of ['HEAD', 'GET']) {
      await using manifix = await startManifix({ config: { upstreams, endpoints: [{ profile: 'legacy' }] } });
      for (const method of [first, 'HEAD', 'GET']) {
        const answer = await ask(manifix.url, method);
        const wanted = { status: 200, type: mediaTypes.ociManifest, digest: amd64?.digest };
        expect(essence(answer), `${method} after ${first}`).toMatchObject(wanted);
        expect(answer.body).toEqual(method === 'GET' ? amd64?.bytes : Buffer.alloc(0));
      }
    }
    await using plain = await startManifix({ upstream: registry.url });
    expect((await ask(plain.url)).body).toEqual(index.bytes);
  });
});
