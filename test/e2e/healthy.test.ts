import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, sampleImage, sampleImages, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage, pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { essenceWithTag, fixesOf, fromCache } from './answers.ts';

const accept = { Accept: manifestTypes.join(', ') };
const methods = ['HEAD', 'GET', 'GET', 'HEAD'] as const;
/** Fixes that complete what docker-registry leaves out, without touching what clients read. */
const COMPLETING = ['etag-and-vary', 'location-origin', 'api-version-header'];

describeWithTools('exchanges with docker-registry that work without manifix', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushSamples(registry.url, 'team/samples');
    manifix = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const both = (request: Parameters<typeof exchange>[1]): Promise<[HttpAnswer, HttpAnswer]> =>
    Promise.all([exchange(registry.url, request), exchange(manifix.url, request)]);

  describe.each(sampleImages())('$name', (image) => {
    it('is the same by digest, with all its children: status, type, length, digest, ETag and bytes', async () => {
      for (const { digest } of [image, ...image.children]) {
        for (const method of methods) {
          const target = `/v2/team/samples/manifests/${digest}`;
          const [direct, through] = await both({ method, target, headers: accept });
          expect(essenceWithTag(through), `${method} ${digest}`).toEqual(essenceWithTag(direct));
          expect(COMPLETING).toEqual(expect.arrayContaining(fixesOf(through)));
        }
      }
    });

    it('has the same blobs, first from the registry and then from the cache', async () => {
      for (const { digest, bytes } of [image, ...image.children].flatMap(({ blobs }) => blobs)) {
        const target = `/v2/team/samples/blobs/${digest}`;
        for (const method of methods) {
          const [direct, through] = await both({ method, target });
          expect(essenceWithTag(through), `${method} ${digest}`).toEqual(essenceWithTag(direct));
          expect(fixesOf(through)).toEqual([]);
        }
        const cached = await fromCache(() => exchange(manifix.url, { target }));
        expect(sha256(cached.body)).toBe(sha256(bytes));
      }
    });
  });

  it.each(sampleImages().filter(({ name }) => name !== 'index-nomt'))('$name is the same by tag', async ({ name }) => {
    for (const method of methods) {
      const target = `/v2/team/samples/manifests/${name}`;
      const [direct, through] = await both({ method, target, headers: accept });
      expect(essenceWithTag(through), method).toEqual(essenceWithTag(direct));
      expect(COMPLETING).toEqual(expect.arrayContaining(fixesOf(through)));
    }
  });

  it.each([
    ['GET', '/v2/', {}],
    ['GET', '/v2/_catalog', {}],
    ['GET', '/v2/team/samples/manifests/missing', accept],
    ['HEAD', '/v2/team/samples/manifests/missing', accept],
    ['GET', `/v2/team/samples/blobs/sha256:${'0'.repeat(64)}`, {}],
    ['HEAD', `/v2/team/samples/blobs/sha256:${'0'.repeat(64)}`, {}],
    ['GET', `/v2/team/samples/blobs/${sampleImage('index').digest}`, {}],
    ['DELETE', `/v2/team/samples/manifests/sha256:${'0'.repeat(64)}`, {}],
    ['DELETE', `/v2/team/samples/blobs/sha256:${'0'.repeat(64)}`, {}],
  ])('%s %s is answered alike', async (method, target, headers) => {
    const [direct, through] = await both({ method, target, headers });
    expect(essenceWithTag(through)).toEqual(essenceWithTag(direct));
  });

  it('lists the same tags, in the order that docker-registry leaves to chance', async () => {
    const [direct, through] = await both({ target: '/v2/team/samples/tags/list' });
    const { name, tags } = JSON.parse(direct.body.toString());
    expect(JSON.parse(through.body.toString())).toEqual({ name, tags: tags.toSorted() });
    expect(through.header('Content-Type')).toBe(direct.header('Content-Type'));
    expect(through.header('Link')).toBeUndefined();
  });

  it.each([
    ['bytes=5-9', 206],
    ['bytes=100-', 206],
    ['bytes=-7', 206],
    ['bytes=100000-', 416],
    ['items=1-2', undefined],
  ] as const)('serves Range %s of a cached blob as HTTP asks for', async (Range, status) => {
    const { digest, bytes } = sampleImage('oci-amd64').blobs[0] ?? { digest: '', bytes: Buffer.alloc(0) };
    const target = `/v2/team/samples/blobs/${digest}`;
    await fromCache(() => exchange(manifix.url, { target }));
    const answer = await exchange(manifix.url, { target, headers: { Range } });
    expect(answer.status).toBe(status ?? 200);
    if (answer.status === 206) {
      const [, start = 0, end = 0] = /^bytes (\d+)-(\d+)\/\d+$/.exec(answer.header('Content-Range') ?? '') ?? [];
      expect(answer.body).toEqual(bytes.subarray(Number(start), Number(end) + 1));
    }
  });

  it('push alike: each step has the same status and fields, with manifix in place of the registry', async () => {
    const image = sampleImage('docker-amd64');
    const digest = image.blobs[0]?.digest ?? '';
    await pushImage(manifix.url, 'pushed/app', '1', image);
    const stored = await exchange(registry.url, { target: '/v2/pushed/app/manifests/1', headers: accept });
    expect(stored.body).toEqual(image.bytes);
    const steps = [registry.url, manifix.url].map(async (url) => {
      const opened = await exchange(url, { method: 'POST', target: '/v2/pushed/app/blobs/uploads/' });
      const location = (opened.header('Location') ?? '').slice(url.length);
      const patched = await exchange(url, { method: 'PATCH', target: location, body: image.blobs[0]?.bytes ?? '' });
      const next = (patched.header('Location') ?? '').slice(url.length);
      const state = await exchange(url, { target: next });
      const put = await exchange(url, { method: 'PUT', target: `${next}&digest=${digest}` });
      const mounted = await exchange(url, {
        method: 'POST',
        target: `/v2/mounted/app/blobs/uploads/?mount=${digest}&from=pushed/app`,
      });
      return [opened, patched, state, put, mounted].map((answer) => ({
        status: answer.status,
        range: answer.header('Range'),
        digest: answer.header('Docker-Content-Digest'),
        length: answer.header('Content-Length'),
        leadsBack: answer.header('Location')?.startsWith(`${url}/v2/`),
      }));
    });
    const [direct, through] = await Promise.all(steps);
    expect(through).toEqual(direct);
  });
});
