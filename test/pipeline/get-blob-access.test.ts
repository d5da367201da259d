import { beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '../../src/pipeline/ports.ts';
import { barrier } from '../support/deadline.ts';
import { guarded } from '../support/fake-upstream.ts';
import type { Scene } from '../support/scene.ts';
import { alice, blobScene, bob, bytes, content, credentials, path } from './some-blob.ts';

/** What the registry answers to Alice, and to everybody else. */
const guardedContent = (request: UpstreamRequest) => {
  const script = guarded('Basic YTph', content);
  return typeof script === 'function' ? script(request) : script;
};

let scene: Scene;

beforeEach(() => {
  scene = blobScene();
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
    // The HEAD decides, and the words of the refusal are those of a GET.
    const asked = [`HEAD ${path}`, `GET ${path}`];
    expect(scene.upstream.asked()).toEqual([...asked, ...asked]);
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
    upstream.on('GET', path, async (request) => {
      const { headers } = request;
      if (headers.some(([, value]) => value === 'Basic YTph')) await gate.passed;
      return guardedContent(request);
    });
    const first = ask('GET', path, alice);
    const others = [ask('GET', path, credentials('Basic Yzpj')), ask('GET', path, bob)];
    const joined = ask('GET', path, alice);
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([401, 401]);
    gate.release();
    expect((await Promise.all([first, joined])).map(({ body }) => body.equals(bytes))).toEqual([true, true]);
    const downloads = upstream.requests.filter(
      ({ method, headers }) => method === 'GET' && headers.some(([, value]) => value === 'Basic YTph'),
    );
    expect(downloads).toHaveLength(1);
  });

  it('is fetched anew when the registry refused that somebody', async () => {
    const { ask, upstream } = scene;
    const gate = barrier();
    upstream.on('HEAD', path, guarded('Basic YTph', content));
    upstream.on('GET', path, async (request) => {
      if (request.headers.some(([, value]) => value === 'Basic Yjpi')) await gate.passed;
      return guardedContent(request);
    });
    const refused = ask('GET', path, bob);
    const allowed = ask('GET', path, alice);
    await new Promise((turn) => setImmediate(turn));
    gate.release();
    expect(await refused).toMatchObject({ status: 401 });
    expect(await allowed).toMatchObject({ status: 200, body: bytes });
  });

  it('is served from the store to somebody whose right to read it took longer to prove than the download', async () => {
    const { ask, upstream, services } = scene;
    upstream.on('GET HEAD', path, guarded('Basic YTph', content));
    services.blobs.beforeAbsent = () => void services.blobs.put(bytes);
    expect(await ask('GET', path, alice)).toMatchObject({ status: 200, body: bytes, cache: 'hit' });
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
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
