import { PassThrough, Readable } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import { MAX_MANIFEST } from '../../src/pipeline/fetch-manifest.ts';
import { SIGNED_SCHEMA1, SIGNED_SCHEMA1_DIGEST } from '../domain/signed-schema1.ts';
import { within } from '../support/deadline.ts';
import { registryHeaders } from '../support/fake-upstream.ts';
import { mediaTypes, sampleImage } from '../support/images.ts';
import { createScene } from '../support/scene.ts';

const image = sampleImage('oci-amd64');
const byTag = '/v2/team/app/manifests/latest';
const byDigest = `/v2/team/app/manifests/${image.digest}`;
const off = { mode: 'off', options: {} } as const;

describe('a manifest that arrives compressed', () => {
  const codings: [string, Buffer][] = [
    ['gzip', gzipSync(image.bytes)],
    ['x-gzip', gzipSync(image.bytes)],
    ['br', brotliCompressSync(image.bytes)],
  ];

  it.each(codings)('is decoded before anybody measures it: %s', async (coding, body) => {
    for (const target of [byTag, byDigest]) {
      const { ask, upstream, services } = createScene();
      const headers = registryHeaders(image.digest, body, image.mediaType);
      upstream.on('GET', target, { status: 200, headers: [...headers, ['Content-Encoding', coding]], body });
      const answer = await ask('GET', target);
      expect(answer).toMatchObject({ status: 200, body: image.bytes, stored: true });
      expect(answer.header('Content-Encoding')).toBeUndefined();
      expect(answer.header('Content-Length')).toBe(String(image.bytes.length));
      expect(answer.fixes.map(({ id }) => id)).toContain('gzip-content-encoding');
      expect([...services.manifests.stored.keys()]).toEqual([image.digest]);
    }
  });

  it('by name only is taken as it is, when that has the digest or is a manifest', async () => {
    const { ask, upstream } = createScene();
    const headers: HeaderList = [
      ['Content-Type', image.mediaType],
      ['Content-Encoding', 'gzip'],
    ];
    for (const target of [byTag, byDigest]) {
      upstream.on('GET', target, { status: 200, headers, body: image.bytes });
      const answer = await ask('GET', target);
      expect(answer).toMatchObject({ status: 200, body: image.bytes });
      expect(answer.header('Content-Encoding')).toBeUndefined();
    }
  });

  it('and cannot be decoded is a 502 that says so', async () => {
    const { ask, upstream } = createScene();
    for (const [coding, body] of [
      ['gzip', gzipSync(image.bytes).subarray(0, -9)],
      ['compress', image.bytes],
    ] as const) {
      const headers: HeaderList = [
        ['Content-Type', image.mediaType],
        ['Content-Encoding', coding],
      ];
      upstream.on('GET', byTag, { status: 200, headers, body });
      const answer = await ask('GET', byTag);
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toContain(`Content-Encoding: ${coding}`);
    }
  });

  it('goes on as it is, and unstored, when the repair is off', async () => {
    const { ask, upstream, services } = createScene({ settings: { 'gzip-content-encoding': off } });
    const body = gzipSync(image.bytes);
    const headers = registryHeaders(image.digest, body, image.mediaType);
    upstream.on('GET', byTag, { status: 200, headers: [...headers, ['Content-Encoding', 'gzip']], body });
    const answer = await ask('GET', byTag);
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.header('Content-Encoding')).toBe('gzip');
    expect(services.manifests.stored.size).toBe(0);
  });
});

describe('a document that can be read as two kinds of manifest (type-confusion)', () => {
  it.each([
    '{"schemaVersion":2,"manifests":[],"config":{}}',
    '{"schemaVersion":2,"manifests":[],"layers":[]}',
    '{"schemaVersion":2,"Manifests":[],"fsLayers":[]}',
  ])('is refused by tag and by digest, and not stored: %s', async (text) => {
    const bytes = Buffer.from(text);
    for (const reference of ['latest', digestOf(bytes)]) {
      const { ask, upstream, services } = createScene();
      upstream.serve('team/app', 'latest', bytes, mediaTypes.ociIndex);
      for (const method of ['GET', 'HEAD']) {
        expect(await ask(method, `/v2/team/app/manifests/${reference}`)).toMatchObject({ status: 502 });
      }
      expect(services.manifests.stored.size).toBe(0);
    }
  });
});

describe('a manifest over 8 MiB (manifest-too-big-or-odd-size)', () => {
  const bytes = Buffer.concat([
    Buffer.from('{"schemaVersion":2,"manifests":[],"annotations":{"x":"'),
    Buffer.alloc(MAX_MANIFEST, 'x'),
    Buffer.from('"}}'),
  ]);
  const hopByHop: HeaderList = [
    ['Connection', 'close, X-Hop'],
    ['X-Hop', '1'],
    ['Transfer-Encoding', 'chunked'],
  ];
  const headers: HeaderList = [['Content-Type', mediaTypes.ociIndex], ['X-Odd', 'kept'], ...hopByHop];
  const target = `/v2/team/app/manifests/${digestOf(bytes)}`;
  const chunks = () =>
    Readable.from([bytes.subarray(0, MAX_MANIFEST), bytes.subarray(MAX_MANIFEST)], { objectMode: false });

  it('streams to the client as it is, with the fields that travel beyond one connection', async () => {
    const { ask, upstream, services } = createScene();
    for (const path of [byTag, target]) {
      upstream.on('GET', path, () => ({ status: 200, headers, body: chunks() }));
      const answer = await ask('GET', path, [['Accept', mediaTypes.ociIndex]]);
      expect(answer).toMatchObject({ status: 200, cache: 'bypass', fixes: [] });
      expect(answer.body.equals(bytes)).toBe(true);
      expect(answer.headers).toEqual(headers.slice(0, 2));
    }
    expect(services.manifests.stored.size).toBe(0);
  });

  it('breaks off instead of ending when it does not have the digest', async () => {
    const { ask, upstream } = createScene();
    const wrong = `/v2/team/app/manifests/${image.digest}`;
    upstream.on('GET', wrong, () => ({ status: 200, headers, body: chunks() }));
    await expect(ask('GET', wrong)).rejects.toMatchObject({ status: 502 });
  });

  it('breaks off when the registry does', async () => {
    const { ask, upstream } = createScene();
    for (const path of [byTag, target]) {
      const cut = async function* () {
        yield bytes.subarray(0, MAX_MANIFEST);
        yield bytes.subarray(MAX_MANIFEST, MAX_MANIFEST + 9);
        throw new Error('cut');
      };
      upstream.on('GET', path, () => ({ status: 200, headers, body: Readable.from(cut(), { objectMode: false }) }));
      await expect(ask('GET', path)).rejects.toThrow('cut');
    }
  });

  it('is not read to its end for HEAD', async () => {
    const { ask, upstream } = createScene();
    const body = new PassThrough().on('error', () => {});
    body.write(bytes);
    const closed = new Promise((resolve) => body.once('close', resolve));
    upstream.on('HEAD', byTag, { status: 200, headers });
    upstream.on('GET', byTag, { status: 200, headers, body });
    expect(await ask('HEAD', byTag)).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    await within('the body is closed', closed);
    expect(body.destroyed).toBe(true);
  });

  it('is fetched by each of several who ask at once, since a stream can be read once', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', byTag, () => ({ status: 200, headers, body: chunks() }));
    const answers = await Promise.all([ask('GET', byTag), ask('GET', byTag)]);
    expect(answers.map(({ body }) => body.equals(bytes))).toEqual([true, true]);
  });
});

describe('what is no manifest of today', () => {
  it('is refused as a page, and not stored', async () => {
    const { ask, upstream, services } = createScene();
    upstream.on('GET', byTag, { status: 200, headers: [['Content-Type', 'text/html']], body: '<h1>Log in</h1>' });
    const answer = await ask('GET', byTag);
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('Log in');
    expect(services.manifests.stored.size).toBe(0);
  });

  it('keeps the digest of the signed payload when it is schema 1, and is asked for anew each time', async () => {
    const { ask, upstream } = createScene();
    const body = Buffer.from(SIGNED_SCHEMA1);
    upstream.on('GET', byTag, {
      status: 200,
      headers: registryHeaders(SIGNED_SCHEMA1_DIGEST, body, SCHEMA1_SIGNED),
      body,
    });
    for (const _ of [1, 2]) {
      const answer = await ask('GET', byTag);
      expect(answer).toMatchObject({ status: 200, body, stored: false });
      expect(answer.header('Docker-Content-Digest')).toBe(SIGNED_SCHEMA1_DIGEST);
    }
    expect(upstream.asked()).toHaveLength(2);
  });

  it.each(['{}', '[]', 'null', '"$MANIFEST"'])('is never stored when it is %s', async (text) => {
    const { ask, upstream, services } = createScene();
    upstream.on('GET', byTag, { status: 200, headers: [['Content-Type', 'application/json']], body: text });
    await ask('GET', byTag);
    expect(services.manifests.stored.size).toBe(0);
  });
});
