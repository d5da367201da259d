import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage, sampleImages } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';

const image = sampleImage('oci-amd64');
const path = `/v2/team/app/manifests/${image.digest}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];
const withTypes = (...headers: HeaderList): HeaderList => [...everyType, ...headers];

function serving(): Scene {
  const scene = createScene();
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  return scene;
}

describe('a manifest by digest', () => {
  it('is fetched once and from then on served from the store', async () => {
    const { ask, upstream } = serving();
    expect(await ask('GET', path, everyType)).toMatchObject({ cache: 'miss', stored: true, body: image.bytes });
    expect(await ask('GET', path, everyType)).toMatchObject({ cache: 'hit', body: image.bytes });
    expect(await ask('HEAD', path, everyType)).toMatchObject({ cache: 'hit', status: 200 });
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('needs no further request after it was fetched by tag', async () => {
    const { ask, upstream } = serving();
    await ask('GET', '/v2/team/app/manifests/latest', everyType);
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ cache: 'hit', body: image.bytes });
    expect(upstream.asked()).toEqual([]);
  });

  it.each(sampleImages().map((sample) => [sample.name, sample] as const))('is byte-exact: %s', async (_, sample) => {
    const { ask, upstream } = createScene();
    upstream.serve('team/app', 'latest', sample.bytes, sample.mediaType);
    const answer = await ask('GET', `/v2/team/app/manifests/${sample.digest}`, everyType);
    expect(answer.body).toEqual(sample.bytes);
    expect(answer.header('Docker-Content-Digest')).toBe(sample.digest);
    expect(answer.fixes.filter(({ mode, id }) => mode === 'on' && id !== 'etag-and-vary')).toEqual([]);
  });

  it('costs another caller one HEAD, which decides', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, withTypes(['Authorization', 'Basic YTph']));
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, body: image.bytes });
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    upstream.on('GET HEAD', path, errorAnswer(403, 'DENIED'));
    expect(await ask('GET', path, withTypes(['Authorization', 'Basic Yjpi']))).toMatchObject({ status: 403 });
    expect(await ask('HEAD', path, withTypes(['Authorization', 'Basic Yjpi']))).toMatchObject({ status: 403 });
  });

  it('is not served from another repository that the registry does not have it in', async () => {
    const { ask } = serving();
    await ask('GET', path, everyType);
    expect(await ask('GET', `/v2/team/other/manifests/${image.digest}`, everyType)).toMatchObject({ status: 404 });
  });

  it('is 404 among the blobs', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, everyType);
    upstream.on('GET HEAD', `/v2/team/app/blobs/${image.digest}`, errorAnswer(404, 'BLOB_UNKNOWN'));
    for (const method of ['GET', 'HEAD']) {
      expect(await ask(method, `/v2/team/app/blobs/${image.digest}`)).toMatchObject({ status: 404 });
    }
  });

  it('can be asked for by sha512', async () => {
    const { ask, upstream } = createScene();
    const digest = digestOf(image.bytes, 'sha512');
    const target = `/v2/team/app/manifests/${digest}`;
    const headers = registryHeaders(`sha256:${'0'.repeat(64)}`, image.bytes, image.mediaType);
    upstream.on('GET', target, { status: 200, headers, body: image.bytes });
    const answer = await ask('GET', target, everyType);
    expect(answer).toMatchObject({ status: 200, stored: true, body: image.bytes });
    expect(answer.header('Docker-Content-Digest')).toBe(digest);
  });
});

describe('bytes that do not have the digest that was asked for', () => {
  it('are a 502, and nothing of them is stored or granted', async () => {
    const { ask, upstream, services } = createScene();
    const wrong = Buffer.from(image.bytes.toString().replace('schemaVersion', 'schemaversion'));
    upstream.on('GET HEAD', path, {
      status: 200,
      headers: registryHeaders(image.digest, wrong, image.mediaType),
      body: wrong,
    });
    const answer = await ask('GET', path, everyType);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString()).errors[0].detail).toMatchObject({
      requested: image.digest,
      received: digestOf(wrong),
      manifix: expect.stringContaining('docs/fixes/digest-enforcement.md'),
    });
    expect(services.manifests.stored.size).toBe(0);
    expect((await ask('HEAD', path, everyType)).status).toBe(502);
  });
});

describe('a conditional or partial request for a manifest', () => {
  const size = image.bytes.length;

  it.each([`"${image.digest}"`, image.digest, `W/"${image.digest}"`, `"x", "${image.digest}"`, '*'])(
    'is 304 for If-None-Match: %s, from the store and from the registry alike',
    async (value) => {
      const { ask } = serving();
      for (const cache of ['miss', 'hit']) {
        const answer = await ask('GET', path, withTypes(['If-None-Match', value]));
        expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0), cache });
        expect(answer.header('ETag')).toBe(`"${image.digest}"`);
        expect(answer.header('Content-Length')).toBeUndefined();
      }
    },
  );

  it('is answered whole when If-None-Match names something else', async () => {
    const { ask } = serving();
    expect(await ask('GET', path, withTypes(['If-None-Match', `"sha256:${'0'.repeat(64)}"`]))).toMatchObject({
      status: 200,
    });
  });

  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=10-', 10, size],
    ['bytes=-5', size - 5, size],
    ['bytes=5-999999', 5, size],
  ])('gives the part that Range: %s names', async (range, start, end) => {
    const { ask } = serving();
    const answer = await ask('GET', path, withTypes(['Range', range]));
    expect(answer).toMatchObject({ status: 206, body: image.bytes.subarray(start, end) });
    expect(answer.header('Content-Range')).toBe(`bytes ${start}-${end - 1}/${size}`);
    expect(answer.header('Content-Length')).toBe(String(end - start));
  });

  it('is 416 for a part that does not exist, and whole for a range that nobody understands', async () => {
    const { ask } = serving();
    const beyond = await ask('GET', path, withTypes(['Range', `bytes=${size}-`]));
    expect(beyond).toMatchObject({ status: 416, body: Buffer.alloc(0) });
    expect(beyond.header('Content-Range')).toBe(`bytes */${size}`);
    expect(await ask('GET', path, withTypes(['Range', 'lines=1-2']))).toMatchObject({ status: 200, body: image.bytes });
  });

  it('is whole when If-Range names another version, for HEAD, and by tag, where bytes may change', async () => {
    const { ask } = serving();
    const range = ['Range', 'bytes=0-9'] as const;
    const stale = await ask('GET', path, withTypes(range, ['If-Range', '"other"']));
    expect(stale).toMatchObject({ status: 200, body: image.bytes });
    expect(await ask('HEAD', path, withTypes(range))).toMatchObject({ status: 200 });
    expect(await ask('GET', '/v2/team/app/manifests/latest', withTypes(range))).toMatchObject({ status: 200 });
  });
});
