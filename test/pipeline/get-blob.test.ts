import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, type FakeAnswer, guarded, registryHeaders } from '../support/fake-upstream.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { repositoryName } from '../support/views.ts';

const bytes = Buffer.from('a layer that is not very long');
const digest = digestOf(bytes);
const path = `/v2/team/app/blobs/${digest}`;
const headers = registryHeaders(digest, bytes, 'application/octet-stream');
const content: FakeAnswer = { status: 200, headers, body: bytes };
const as = (password: string): HeaderList => [['Authorization', password]];
const alice = as('Basic YTph');
const bob = as('Basic Yjpi');
const asOff = { settings: { 'redirect-auth-leak-400': { mode: 'off', options: {} } } } as const;

let scene: Scene;

beforeEach(() => {
  scene = createScene();
  scene.upstream.on('GET HEAD', path, content);
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
    const challenge = 'Bearer realm="https://auth.test/token"';
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
    expect(passing.upstream.requests.map(({ redirects }) => redirects)).toEqual(['pass', 'pass']);
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
      const answer = await scene.ask(method, path, [['If-None-Match', `"${digest}"`]]);
      expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0) });
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

describe('a private blob', () => {
  beforeEach(async () => {
    scene.upstream.on('GET HEAD', path, guarded('Basic YTph', content));
    await scene.ask('GET', path, alice);
    scene.upstream.asked();
  });

  it('is served from the store to the caller who lately read it', async () => {
    expect(await scene.ask('GET', path, alice)).toMatchObject({ cache: 'hit', body: bytes });
    expect(scene.upstream.asked()).toEqual([]);
  });

  it('is not served to another one whom the registry refuses', async () => {
    for (const caller of [bob, []]) expect(await scene.ask('GET', path, caller)).toMatchObject({ status: 401 });
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`, `HEAD ${path}`]);
  });

  it('is not served from another repository', async () => {
    expect(await scene.ask('GET', path.replace('team/app', 'team/other'), alice)).toMatchObject({ status: 404 });
  });

  it('is not served to callers without a grant while the registry cannot be asked', async () => {
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, bob)).toMatchObject({ status: 502 });
    expect(await scene.ask('GET', path, alice)).toMatchObject({ status: 200, body: bytes });
  });
});

describe('a blob that somebody else is downloading', () => {
  it('is served to those who may read it, and to nobody else', async () => {
    const { ask, upstream } = scene;
    const gate = barrier();
    upstream.on('HEAD', path, guarded('Basic YTph', content));
    upstream.on('GET', path, async () => {
      await gate.passed;
      return content;
    });
    const first = ask('GET', path, alice);
    const others = [ask('GET', path, as('Basic Yzpj')), ask('GET', path, bob)];
    const joined = ask('GET', path, alice);
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([401, 401]);
    gate.release();
    expect((await Promise.all([first, joined])).map(({ body }) => body.equals(bytes))).toEqual([true, true]);
    expect(upstream.asked().filter((request) => request.startsWith('GET'))).toHaveLength(1);
  });

  it('is fetched anew when the registry refused that somebody', async () => {
    const { ask, upstream } = scene;
    const gate = barrier();
    upstream.on('HEAD', path, guarded('Basic YTph', content));
    upstream.on('GET', path, async (request) => {
      const script = guarded('Basic YTph', content);
      if (request.headers.some(([, value]) => value === 'Basic Yjpi')) await gate.passed;
      return typeof script === 'function' ? script(request) : script;
    });
    const refused = ask('GET', path, bob);
    const allowed = ask('GET', path, alice);
    await new Promise((turn) => setImmediate(turn));
    gate.release();
    expect(await refused).toMatchObject({ status: 401 });
    expect(await allowed).toMatchObject({ status: 200, body: bytes });
  });

  it('and is stored between the look and the start is not served without the right to read it', async () => {
    const { ask, upstream, services } = scene;
    upstream.on('GET HEAD', path, guarded('Basic YTph', content));
    services.blobs.beforeAbsent = () => void services.blobs.put(bytes);
    expect(await ask('GET', path, bob)).toMatchObject({ status: 401 });
    services.blobs.beforeAbsent = undefined;
    expect(await ask('GET', path, bob)).toMatchObject({ status: 401 });
    expect(await ask('GET', path, alice)).toMatchObject({ status: 200, body: bytes });
  });
});
