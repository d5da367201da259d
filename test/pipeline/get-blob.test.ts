import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { errorAnswer } from '../support/fake-upstream.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { repositoryName } from '../support/views.ts';
import { blobScene, bob, bytes, content, digest, path } from './some-blob.ts';

const asOff = { settings: { 'redirect-auth-leak-400': { mode: 'off', options: {} } } } as const;

let scene: Scene;

beforeEach(() => {
  scene = blobScene();
});

describe('a cold blob', () => {
  it('is fetched once, stored, and served with the fields that describe it', async () => {
    const { ask, upstream, services } = scene;
    const answer = await ask('GET', path);
    expect(answer).toMatchObject({ status: 200, cache: 'miss', stored: true, body: bytes });
    expect(answer.headers).toEqual([
      ['Content-Type', 'application/octet-stream'],
      ['Docker-Content-Digest', digest],
      ['Docker-Distribution-Api-Version', 'registry/2.0'],
      ['ETag', `"${digest}"`],
      ['Cache-Control', 'max-age=31536000, immutable'],
      ['Accept-Ranges', 'bytes'],
      ['Content-Length', String(bytes.length)],
    ]);
    expect(services.blobs.stored.has(digest)).toBe(true);
    expect(await ask('GET', path)).toMatchObject({ status: 200, cache: 'hit', body: bytes });
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('is fetched once for many who ask at once with the same credentials', async () => {
    const { ask, upstream } = scene;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('GET', path)));
    expect(answers.filter(({ body }) => body.equals(bytes))).toHaveLength(20);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('is asked about, not fetched, for HEAD', async () => {
    const { ask, upstream, services } = scene;
    const answer = await ask('HEAD', path);
    expect(answer).toMatchObject({ status: 200, cache: 'miss', body: Buffer.alloc(0) });
    expect(answer.header('Content-Length')).toBe(String(bytes.length));
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    expect(services.blobs.stored.size).toBe(0);
  });

  it('with other bytes than its digest stands for is never served whole nor stored', async () => {
    const { ask, upstream, services } = scene;
    upstream.on('GET', path, { ...content, body: Buffer.alloc(bytes.length) });
    await expect(ask('GET', path)).rejects.toMatchObject({ status: 502 });
    expect(services.blobs.stored.size).toBe(0);
    expect(services.blobs.openReaders).toBe(0);
  });

  it('that the registry refuses keeps its status, code and challenge', async () => {
    const { ask, upstream } = scene;
    const challenge = 'Bearer realm="https://auth.test/token",scope="repository:team/app:pull"';
    upstream.on('GET', path, errorAnswer(401, 'UNAUTHORIZED', 'no', [['WWW-Authenticate', challenge]]));
    for (const answer of await Promise.all([ask('GET', path), ask('GET', path)])) {
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toBe(challenge);
      expect(JSON.parse(answer.body.toString()).errors[0].code).toBe('UNAUTHORIZED');
    }
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('is decoded when it arrives compressed, unless the compressed bytes are the blob', async () => {
    const layer = gzipSync(bytes);
    const layerPath = `/v2/team/app/blobs/${digestOf(layer)}`;
    const coded: HeaderList = [['Content-Encoding', 'gzip']];
    scene.upstream.on('GET', path, { status: 200, headers: coded, body: layer });
    scene.upstream.on('GET', layerPath, { status: 200, headers: coded, body: layer });
    for (const [target, body] of [
      [path, bytes],
      [layerPath, layer],
    ] as const) {
      const answer = await scene.ask('GET', target);
      expect(answer).toMatchObject({ status: 200, body });
      expect(answer.header('Content-Encoding')).toBeUndefined();
      expect(answer.fixes.map(({ id }) => id)).toEqual(['gzip-content-encoding']);
    }
  });

  it('has its redirect followed and reported, or left to the client', async () => {
    scene.upstream.on('GET', path, { ...content, redirected: true });
    const answer = await scene.ask('GET', path);
    expect(answer.fixes.map(({ id }) => id)).toEqual(['redirect-auth-leak-400']);
    const passing = createScene(asOff);
    const location = 'https://storage.test/x?sig=1';
    passing.upstream.on('GET HEAD', path, { status: 307, headers: [['Location', location]] });
    for (const method of ['GET', 'HEAD']) {
      const redirect = await passing.ask(method, path);
      expect(redirect.status).toBe(307);
      expect(redirect.fixes.map(({ id }) => id)).not.toContain('redirect-auth-leak-400');
      expect(redirect.header('Location')).toBe(location);
    }
    expect(passing.upstream.requests.map(({ redirects }) => redirects)).toEqual(['own', 'own']);
  });

  it('is verified on its way also where it is not stored', async () => {
    const { ask, upstream } = createScene(asOff);
    upstream.on('GET', path, content);
    expect(await ask('GET', path)).toMatchObject({ status: 200, cache: 'bypass', body: bytes });
    upstream.on('GET', path, { ...content, body: Buffer.alloc(bytes.length) });
    await expect(ask('GET', path)).rejects.toMatchObject({ status: 502 });
  });

  it('gives a part from the registry when only a part is wanted, and stores nothing', async () => {
    const { ask, upstream, services } = scene;
    const part: HeaderList = [['Content-Range', `bytes 5-9/${bytes.length}`]];
    upstream.on('GET', path, { status: 206, headers: part, body: bytes.subarray(5, 10) });
    const answer = await ask('GET', path, [['Range', 'bytes=5-9']]);
    expect(answer).toMatchObject({ status: 206, cache: 'bypass', body: bytes.subarray(5, 10) });
    expect(answer.header('Content-Range')).toBe(`bytes 5-9/${bytes.length}`);
    expect(upstream.requests[0]?.headers).toContainEqual(['Range', 'bytes=5-9']);
    expect(services.blobs.stored.size).toBe(0);
  });

  it('is filled by a range that starts at the beginning and has no end', async () => {
    const answer = await scene.ask('GET', path, [['Range', 'bytes=0-']]);
    expect(answer).toMatchObject({ status: 206, cache: 'miss', body: bytes });
    expect(scene.services.blobs.stored.has(digest)).toBe(true);
  });
});

describe('a stored blob', () => {
  beforeEach(async () => {
    await scene.ask('GET', path);
    scene.upstream.asked();
  });

  it.each([
    ['bytes=0-4', 0, 5],
    ['bytes=5-', 5, bytes.length],
    ['bytes=-3', bytes.length - 3, bytes.length],
  ])('gives the part that Range: %s names, without asking the registry', async (range, start, end) => {
    const answer = await scene.ask('GET', path, [['Range', range]]);
    expect(answer).toMatchObject({ status: 206, cache: 'hit', body: bytes.subarray(start, end) });
    expect(answer.header('Content-Range')).toBe(`bytes ${start}-${end - 1}/${bytes.length}`);
    expect(answer.header('Content-Length')).toBe(String(end - start));
    expect(scene.upstream.asked()).toEqual([]);
  });

  it('is 416 for a part that it does not have, and whole under an If-Range for something else', async () => {
    const beyond = await scene.ask('GET', path, [['Range', `bytes=${bytes.length}-`]]);
    expect(beyond).toMatchObject({ status: 416, body: Buffer.alloc(0) });
    expect(beyond.header('Content-Range')).toBe(`bytes */${bytes.length}`);
    const other: HeaderList = [
      ['Range', 'bytes=0-4'],
      ['If-Range', '"other"'],
    ];
    expect(await scene.ask('GET', path, other)).toMatchObject({ status: 200, body: bytes });
  });

  it('is 304 for a client that has it', async () => {
    for (const method of ['GET', 'HEAD']) {
      for (const tag of [`"${digest}"`, digest, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
        const answer = await scene.ask(method, path, [['If-None-Match', tag]]);
        expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0) });
      }
    }
  });

  it('has the same fields for HEAD as for GET', async () => {
    const [get, head] = [await scene.ask('GET', path), await scene.ask('HEAD', path)];
    expect(head.headers).toEqual(get.headers);
    expect(head.body).toHaveLength(0);
  });

  it('leaves no reader open', async () => {
    for (const range of ['bytes=0-4', `bytes=${bytes.length}-`]) await scene.ask('GET', path, [['Range', range]]);
    await scene.ask('HEAD', path);
    expect(scene.services.blobs.openReaders).toBe(0);
  });

  it('stays readable through an outage when it is open, also for callers that were never seen', async () => {
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, bob)).toMatchObject({ status: 200, body: bytes });
    expect(scene.services.grants.has('registry', repositoryName('team/app'), 'bob')).toBe(false);
  });
});
