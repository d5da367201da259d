import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { essence, fixesOf, fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';

const image = sampleImage('oci-amd64');
const accept = { Accept: manifestTypes.join(', ') };

/** Endpoints of their own, and the fixes that are set there. */
const endpoints: Readonly<Record<string, object>> = {
  head403: {},
  head404: {},
  head405: {},
  head501: {},
  blob404: {},
  blob405: {},
  healthy: {},
  manifest1: {},
  manifest2: {},
  artifact: {},
  strict: {},
  own: { 'redirect-auth-leak-400': 'off' },
  off: {
    'head-unsupported': 'off',
    'blobs-endpoint-serves-manifest': 'off',
    'redirect-auth-leak-400': 'off',
    'unreachable-redirect-or-location': 'off',
  },
};

describe('defects of blobs and of HEAD', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    const names = Object.keys(endpoints);
    manifix = await startManifix({
      config: {
        upstreams: Object.fromEntries(names.map((name) => [name, { url: injector.url }])),
        endpoints: [
          { name: 'default', upstream: 'healthy' },
          ...Object.entries(endpoints).map(([name, fixes]) => ({ name, upstream: name, host: `${name}.test`, fixes })),
        ],
      },
    });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const both = (
    target: string,
    request: Partial<Parameters<typeof exchange>[1]> = {},
  ): Promise<[HttpAnswer, HttpAnswer]> =>
    Promise.all([exchange(injector.url, { ...request, target }), exchange(manifix.url, { ...request, target })]);
  /** A blob that no cache has. */
  const addUnknown = (content: string) => injector.content.putBlob('', Buffer.from(content));
  /** Through a registry of the configuration that nothing was learnt about by other tests. */
  const at = (name: string, request: Parameters<typeof exchange>[1]) =>
    exchange(manifix.url, { ...request, headers: { ...request.headers, Host: `${name}.test` } });

  describe.each(['head403', 'head404', 'head405', 'head501'])('%s', (defect) => {
    it('HEAD of a manifest says what GET says, first and again, by tag and by digest', async () => {
      for (const reference of ['index', image.digest]) {
        const target = `/v2/${defect}/manifests/${reference}`;
        expect((await exchange(injector.url, { method: 'HEAD', target, headers: accept })).status).toBeGreaterThan(400);
        const answers = [];
        for (const method of ['HEAD', 'GET', 'HEAD']) {
          answers.push(await at(defect, { method, target, headers: accept }));
        }
        const [head, get, again] = answers.map((answer) => ({ ...essence(answer), body: '' }));
        expect(get?.status).toBe(200);
        expect([head, again]).toEqual([get, get]);
      }
      const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
      expect(body.toString()).toContain(`manifix_upstream_defects{upstream="${defect}",fix="head-unsupported"} 1`);
    });

    it('HEAD of what is not there stays refused', async () => {
      for (const _time of ['first', 'again']) {
        const target = `/v2/${defect}/manifests/missing`;
        expect((await at(defect, { method: 'HEAD', target, headers: accept })).status).toBe(404);
      }
    });

    it('is left alone when the fix is off', async () => {
      const request = { method: 'HEAD', target: `/v2/${defect}/manifests/index`, headers: accept };
      const direct = await exchange(injector.url, request);
      expect((await at('off', request)).status).toBe(direct.status);
    });
  });

  it.each([
    ['head-blob404', 'blob404'],
    ['head-blob405', 'blob405'],
  ])('%s: HEAD of a blob tells its length', async (defect, name) => {
    const digest = addUnknown(`what ${defect} hides`);
    const target = `/v2/${defect}/blobs/${digest}`;
    expect((await exchange(injector.url, { method: 'HEAD', target })).status).toBeGreaterThan(400);
    const answer = await at(name, { method: 'HEAD', target });
    expect([answer.status, answer.header('Content-Length')]).toEqual([200, String(`what ${defect} hides`.length)]);
    expect(fixesOf(answer)).toContain('head-unsupported');
    const missing = `/v2/${defect}/blobs/sha256:${'0'.repeat(64)}`;
    expect((await at(name, { method: 'HEAD', target: missing })).status).toBe(404);
  });

  it('a registry that answers HEAD is not asked by GET for what is not there', async () => {
    const head = (reference: string) =>
      at('healthy', { method: 'HEAD', target: `/v2/healthy/manifests/${reference}`, headers: accept });
    await head('index');
    const before = injector.requests.length;
    expect((await head('missing')).status).toBe(404);
    expect(injector.requests.slice(before).map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('head-presigned: HEAD of a blob is answered although the storage allows only GET', async () => {
    const digest = addUnknown('signed for GET');
    const [direct, answer] = await both(`/v2/head-presigned/blobs/${digest}`, { method: 'HEAD' });
    const refused = await exchange(injector.storage, {
      method: 'HEAD',
      target: (direct.header('Location') ?? '').slice(injector.storage.length),
    });
    expect([direct.status, refused.status]).toEqual([307, 403]);
    expect([answer.status, answer.header('Content-Length')]).toEqual([200, '14']);
    expect(answer.header('Content-Range')).toBeUndefined();
    expect(fixesOf(answer)).toContain('head-presigned-403');
    const get = await exchange(manifix.url, { target: `/v2/head-presigned/blobs/${digest}` });
    expect(get.body.toString()).toBe('signed for GET');
  });

  it.each([
    ['bytes=5-9', 206, [5, 10], 'bytes 5-9/100'],
    ['bytes=95-', 206, [95, 100], 'bytes 95-99/100'],
    ['bytes=-3', 206, [97, 100], 'bytes 97-99/100'],
    ['bytes=200-', 416, [0, 0], 'bytes */100'],
    ['bytes=0-1,5-9', 200, [0, 100], undefined],
  ] as const)('range-ignored: %s of a cold blob is answered %i', async (Range, status, [start, end], contentRange) => {
    const content = Range.padEnd(100, '0123456789');
    const body = content.slice(start, end);
    const digest = addUnknown(content);
    const target = `/v2/range-ignored/blobs/${digest}`;
    expect((await exchange(injector.url, { target, headers: { Range } })).status).toBe(200);
    const before = injector.requests.length;
    const answer = await exchange(manifix.url, { target, headers: { Range } });
    expect([answer.status, answer.body.toString(), answer.header('Content-Range')]).toEqual([
      status,
      body,
      contentRange,
    ]);
    expect(answer.header('Content-Length')).toBe(String(body.length));
    const cached = await fromCache(() => exchange(manifix.url, { target }));
    expect(sha256(cached.body)).toBe(digest);
    expect(injector.requests.slice(before).map(({ method }) => method)).toEqual(['GET']);
  });

  it('range-ignored: wrong bytes are no part', async () => {
    const digest = `sha256:${createHash('sha256').update('right').digest('hex')}`;
    const target = `/v2/wrong-blob-bytes/blobs/${addUnknown('some bytes')}`;
    injector.content.putBlob('', Buffer.from('right'));
    const part = await exchange(manifix.url, {
      target: `/v2/range-ignored/blobs/${digest}`,
      headers: { Range: 'bytes=1-2' },
    });
    expect([part.status, part.body.toString()]).toEqual([206, 'ig']);
    const whole = await exchange(manifix.url, { target });
    expect(whole.status).toBe(502);
  });

  describe('blob-serves-manifest', () => {
    const digest = sampleImage('index').digest;
    const target = `/v2/blob-serves-manifest/blobs/${digest}`;

    it('a manifest is no blob, by GET and by HEAD, before and after it was pulled', async () => {
      const direct = await exchange(injector.url, { target });
      expect([direct.status, sha256(direct.body)]).toEqual([200, digest]);
      const ask = (method: string) => at('manifest1', { method, target });
      const get = await ask('GET');
      expect([get.status, firstError(get.body).code]).toEqual([404, 'BLOB_UNKNOWN']);
      expect(firstError(get.body).explanation).toContain('docs/fixes/blobs-endpoint-serves-manifest.md');
      expect((await ask('HEAD')).status).toBe(404);
      const pulled = { target: `/v2/blob-serves-manifest/manifests/${digest}`, headers: accept };
      expect((await at('manifest1', pulled)).status).toBe(200);
      expect((await ask('HEAD')).status).toBe(404);
      expect((await ask('GET')).status).toBe(404);
    });

    it('HEAD of a manifest that was pulled is 404 at once', async () => {
      await at('manifest2', { target: '/v2/blob-serves-manifest/manifests/index', headers: accept });
      expect((await at('manifest2', { method: 'HEAD', target })).status).toBe(404);
    });

    it('a layer that looks like a manifest is a blob all the same', async () => {
      const layer = sampleImage('docker-amd64').bytes;
      const config = Buffer.from('{}');
      injector.content.putBlob('', layer);
      injector.content.putBlob('', config);
      const document = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(config), size: 2 },
        layers: [{ mediaType: 'application/octet-stream', digest: sha256(layer), size: layer.length }],
      });
      injector.content.putManifest('', 'artifact', { bytes: Buffer.from(document), mediaType: mediaTypes.ociManifest });
      await at('artifact', { target: '/v2/healthy/manifests/artifact', headers: accept });
      const answer = await at('artifact', { target: `/v2/healthy/blobs/${sha256(layer)}` });
      expect([answer.status, sha256(answer.body)]).toEqual([200, sha256(layer)]);
      // A manifest that is in no repository of manifests is a blob, too.
      const orphan = Buffer.from(document.replace('{}', '{ }').replace('"schemaVersion":2', '"schemaVersion": 2'));
      const blob = await at('artifact', { target: `/v2/healthy/blobs/${injector.content.putBlob('', orphan)}` });
      expect(blob.body).toEqual(orphan);
    });

    it('is left alone when the fix is off', async () => {
      expect((await at('off', { target })).status).toBe(200);
    });
  });

  it('len-zero: a blob whose size a manifest names needs no further question', async () => {
    await exchange(manifix.url, { target: '/v2/len-zero/manifests/oci-amd64', headers: accept });
    const layer = image.blobs.at(-1);
    const before = injector.requests.length;
    const answer = await exchange(manifix.url, { method: 'HEAD', target: `/v2/len-zero/blobs/${layer?.digest}` });
    expect([answer.status, answer.header('Content-Length')]).toEqual([200, String(layer?.bytes.length)]);
    expect(injector.requests.slice(before).map(({ method }) => method)).toEqual(['HEAD']);
  });

  it.each([
    ['GET', 'tags/list'],
    ['GET', 'manifests/list'],
    ['HEAD', 'manifests/index'],
    ['GET', `blobs/${image.blobs[0]?.digest}`],
    ['DELETE', `blobs/sha256:${'0'.repeat(64)}`],
  ])('redirect-own: %s %s is answered where the registry redirects to itself', async (method, path) => {
    const [direct, answer] = await both(`/v2/redirect-own/${path}`, { method, headers: accept });
    const healthy = await exchange(injector.url, { method, target: `/v2/healthy/${path}`, headers: accept });
    expect(direct.status).toBe(301);
    expect([answer.status, answer.header('Location')]).toEqual([healthy.status, undefined]);
    const own = await at('own', { method, target: `/v2/redirect-own/${path}`, headers: accept });
    expect(own.status).toBe(healthy.status);
    expect(fixesOf(own)).toContain('unreachable-redirect-or-location');
    expect((await at('off', { method, target: `/v2/redirect-own/${path}`, headers: accept })).status).toBe(301);
  });

  it.each([
    ['oci-amd64', mediaTypes.ociIndex, mediaTypes.ociManifest],
    ['index', mediaTypes.ociManifest, mediaTypes.ociIndex],
    ['index', mediaTypes.dockerManifest, mediaTypes.ociIndex],
  ])('strict-accept: %s is served to a client that names %s', async (tag, Accept, type) => {
    const target = `/v2/strict-accept/manifests/${tag}`;
    const direct = await exchange(injector.url, { target, headers: { Accept } });
    expect([direct.status, direct.body.toString()]).toEqual([404, expect.stringMatching('accept header does not')]);
    const answers = [];
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET']) {
      answers.push(await at('strict', { method, target, headers: { Accept } }));
    }
    for (const answer of answers) expect([answer.status, answer.header('Content-Type')]).toEqual([200, type]);
    expect(new Set(answers.map((answer) => answer.header('Docker-Content-Digest'))).size).toBe(1);
    const missing = await exchange(manifix.url, { target: '/v2/strict-accept/manifests/none', headers: { Accept } });
    expect(missing.status).toBe(404);
  });

  it('strict-accept: what the registry converts for the types named is not widened', async () => {
    const headers = { Accept: mediaTypes.dockerManifest };
    const [direct, answer] = await both('/v2/strict-accept/manifests/list', { headers });
    expect(essence(answer)).toEqual(essence(direct));
    expect(answer.header('Content-Type')).toBe(mediaTypes.dockerManifest);
  });
});

describeWithTools('docker-registry', ['docker-registry'], () => {
  it('as a cold pull-through cache sends a blob whole, and through manifix the part that was asked for', async () => {
    await using origin = await startDockerRegistry();
    await pushImage(origin.url, 'team/app', '1', image);
    await using registry = await startDockerRegistry({ proxyRemoteUrl: origin.url });
    await using manifix = await startManifix({ upstream: registry.url });
    const layer = image.blobs.at(-1) ?? { digest: '', bytes: Buffer.alloc(0) };
    const target = `/v2/team/app/blobs/${layer.digest}`;
    const part = await exchange(manifix.url, { target, headers: { Range: 'bytes=5-9' } });
    expect([part.status, part.body]).toEqual([206, layer.bytes.subarray(5, 10)]);
  });

  it('redirects to itself for paths with too many slashes, which manifix does for the client', async () => {
    await using registry = await startDockerRegistry();
    await pushImage(registry.url, 'team/app', '1', image);
    const direct = await exchange(registry.url, { target: '/v2/team/app/tags/list/' });
    expect([direct.status, direct.header('Location')]).toEqual([
      301,
      expect.stringContaining('/v2/team/app/tags/list'),
    ]);
  });
});
