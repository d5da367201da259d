import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, mediaTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

const image = sampleImage('oci-amd64');
const other = sampleImage('docker-amd64');
const path = '/v2/team/app/manifests/latest';
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

function serving(options?: Parameters<typeof createScene>[0]): Scene {
  const scene = createScene(options);
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  return scene;
}

describe('a tag that nobody asked for yet', () => {
  it('costs one GET, which brings the manifest and stores it', async () => {
    const { ask, upstream, services } = serving();
    const answer = await ask('GET', path, everyType);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
    expect(answer).toMatchObject({ status: 200, cache: 'miss', stored: true });
    expect(answer.body).toEqual(image.bytes);
    expect([...services.manifests.stored.keys()]).toEqual([image.digest]);
  });

  it('costs a HEAD and a GET when HEAD is asked, because the fixes need the bytes', async () => {
    const { ask, upstream } = serving();
    const answer = await ask('HEAD', path, everyType);
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
    expect(answer).toMatchObject({ status: 200, cache: 'miss', body: Buffer.alloc(0) });
    expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
  });

  it('is served also when nothing can be stored, and asked for anew the next time', async () => {
    const { ask, upstream, services } = serving();
    services.manifests.full = true;
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, stored: false });
    expect((await ask('GET', path, everyType)).body).toEqual(image.bytes);
    expect(upstream.asked()).toEqual([`GET ${path}`, `GET ${path}`]);
  });
});

describe('a tag that was asked for lately', () => {
  it('is served without asking the registry, to GET and HEAD', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, everyType);
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit', body: image.bytes });
    expect(await ask('HEAD', path, everyType)).toMatchObject({ status: 200, cache: 'hit' });
    expect(upstream.asked()).toEqual([]);
  });

  it('is asked about with HEAD once its time is over, and served from the store when it did not move', async () => {
    const { ask, upstream, services } = serving({ tagTtl: 1000 });
    await ask('GET', path, everyType);
    services.clock.now += 1000;
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit', body: image.bytes });
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    services.clock.now += 999;
    await ask('GET', path, everyType);
    expect(upstream.asked()).toEqual([]);
  });

  it('is fetched again when it moved to a digest that is not here', async () => {
    const { ask, upstream, services } = serving({ tagTtl: 1000 });
    await ask('GET', path, everyType);
    services.clock.now += 1000;
    upstream.serve('team/app', 'latest', other.bytes, other.mediaType);
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'miss', body: other.bytes });
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });

  it('is fetched again when the registry does not say its digest', async () => {
    const { ask, upstream } = serving({ tagTtl: 0 });
    await ask('GET', path, everyType);
    upstream.on('HEAD', path, { status: 200, headers: [['Content-Type', image.mediaType]] });
    upstream.asked();
    expect(await ask('HEAD', path, everyType)).toMatchObject({ status: 200 });
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });

  it('is kept apart for requests that accept other types', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, everyType);
    upstream.asked();
    await ask('GET', path, [['Accept', mediaTypes.ociManifest]]);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('is the same view for all Accepts that name no type and for one that names all four', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, everyType);
    upstream.asked();
    await ask('GET', path);
    await ask('GET', path, [['Accept', '*/*']]);
    expect(upstream.asked()).toEqual([]);
  });
});

describe('many who ask for the same tag at once', () => {
  it('share one request to the registry', async () => {
    const { ask, upstream } = serving();
    const gate = barrier();
    upstream.on('GET', path, async () => {
      await gate.passed;
      return { status: 200, headers: registryHeaders(image.digest, image.bytes, image.mediaType), body: image.bytes };
    });
    const answers = Array.from({ length: 20 }, () => ask('GET', path, everyType));
    gate.release();
    for (const answer of await Promise.all(answers)) expect(answer.body).toEqual(image.bytes);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('ask for themselves when their credentials differ', async () => {
    const { ask, upstream } = serving();
    await Promise.all(['Basic YTph', 'Basic Yjpi'].map((value) => ask('GET', path, [['Authorization', value]])));
    expect(upstream.asked()).toEqual([`GET ${path}`, `GET ${path}`]);
    expect(upstream.requests.map(({ headers }) => headers.find(([name]) => name === 'Authorization')?.[1])).toEqual([
      'Basic YTph',
      'Basic Yjpi',
    ]);
  });
});

describe('a tag that the registry refuses', () => {
  it('keeps the status, code and challenge of the registry', async () => {
    const { ask, upstream } = createScene();
    const scope = 'scope="repository:team/app:pull"';
    const challenge = `Bearer realm="https://auth.test/token",service="registry",${scope}`;
    upstream.on(
      'GET',
      path,
      errorAnswer(401, 'UNAUTHORIZED', 'authentication required', [['WWW-Authenticate', challenge]]),
    );
    const answer = await ask('GET', path);
    expect(answer.status).toBe(401);
    expect(answer.header('WWW-Authenticate')).toBe(challenge);
    expect(JSON.parse(answer.body.toString()).errors[0]).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('is not asked for twice by a HEAD, unless the refused HEAD leaves a GET without its reason', async () => {
    const { ask, upstream } = createScene({ tagTtl: 0 });
    upstream.serve('team/app', 'other', image.bytes, image.mediaType);
    await ask('HEAD', '/v2/team/app/manifests/other');
    upstream.asked();
    expect(await ask('HEAD', path)).toMatchObject({ status: 404, body: Buffer.alloc(0) });
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
    await ask('GET', path);
    upstream.on('GET HEAD', path, errorAnswer(404, 'MANIFEST_UNKNOWN', 'gone'));
    upstream.asked();
    expect(JSON.parse((await ask('GET', path)).body.toString()).errors[0]).toMatchObject({ message: 'gone' });
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });
});

describe('what is sent to the registry for a tag', () => {
  it('is a short list of the fields of the client, and its query', async () => {
    const { ask, upstream } = createScene();
    await ask('GET', `${path}?platform=arm64`, [
      ['Accept', mediaTypes.ociManifest],
      ['authorization', 'Basic YTph'],
      ['User-Agent', 'test/1'],
      ['If-None-Match', '"x"'],
      ['Range', 'bytes=0-1'],
      ['X-Forwarded-Host', 'evil.test'],
      ['Accept-Encoding', 'gzip'],
    ]);
    expect(upstream.requests[0]).toMatchObject({ path: `${path}?platform=arm64`, redirects: 'follow' });
    expect(upstream.requests[0]?.headers).toEqual([
      ['Accept', mediaTypes.ociManifest],
      ['authorization', 'Basic YTph'],
      ['User-Agent', 'test/1'],
    ]);
  });

  it('lets redirects pass to the client when the repair is off', async () => {
    const { ask, upstream } = createScene({ settings: { 'redirect-auth-leak-400': { mode: 'off', options: {} } } });
    upstream.on('GET', path, { status: 307, headers: [['Location', 'https://cdn.test/x']] });
    const answer = await ask('GET', path);
    expect(answer).toMatchObject({ status: 307 });
    expect(answer.header('Location')).toBe('https://cdn.test/x');
    expect(upstream.requests[0]?.redirects).toBe('own');
  });

  it('is reported when a redirect was followed', async () => {
    const { ask, upstream } = createScene();
    const headers = registryHeaders(image.digest, image.bytes, image.mediaType);
    upstream.on('GET', path, { status: 200, headers, body: image.bytes, redirected: true });
    expect((await ask('GET', path, everyType)).fixes.map(({ id }) => id)).toContain('redirect-auth-leak-400');
  });
});

describe('an outage of the registry', () => {
  const outages: [string, (scene: Scene) => void][] = [
    ['does not answer', ({ upstream }) => Object.assign(upstream, { down: true })],
    ['answers 503', ({ upstream }) => upstream.on('GET HEAD', path, errorAnswer(503, 'UNAVAILABLE'))],
    ['answers 429', ({ upstream }) => upstream.on('GET HEAD', path, errorAnswer(429, 'TOOMANYREQUESTS'))],
  ];

  it.each(outages)('leaves open content readable when it %s', async (_, breakIt) => {
    const scene = serving({ tagTtl: 0 });
    await scene.ask('GET', path, everyType);
    breakIt(scene);
    const answer = await scene.ask('GET', path, everyType);
    expect(answer).toMatchObject({ status: 200, cache: 'stale', body: image.bytes });
    expect(await scene.ask('HEAD', path, everyType)).toMatchObject({ status: 200, cache: 'stale' });
  });

  it('is a 502 for private content to a caller without a grant, and for content that is not here', async () => {
    const scene = serving({ tagTtl: 0 });
    await scene.ask('GET', path, [...everyType, ['Authorization', 'Basic YTph']]);
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 502, cache: undefined });
    expect(await scene.ask('GET', '/v2/team/app/manifests/none', everyType)).toMatchObject({ status: 502 });
  });

  it('leaves private content readable for the caller who lately read it', async () => {
    const scene = serving({ tagTtl: 0 });
    const alice: HeaderList = [...everyType, ['Authorization', 'Basic YTph']];
    await scene.ask('GET', path, alice);
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, alice)).toMatchObject({ status: 200, cache: 'stale', body: image.bytes });
  });

  it('passes on the status and Retry-After when there is nothing to serve', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', path, errorAnswer(429, 'TOOMANYREQUESTS', 'slow down', [['Retry-After', '7']]));
    const answer = await ask('GET', path);
    expect(answer.status).toBe(429);
    expect(answer.header('Retry-After')).toBe('7');
  });
});

describe('private content', () => {
  const alice: HeaderList = [...everyType, ['Authorization', 'Basic YTph']];

  it('is not served to another caller without the registry agreeing', async () => {
    const { ask, upstream } = serving();
    await ask('GET', path, alice);
    upstream.on('GET HEAD', path, errorAnswer(401, 'UNAUTHORIZED'));
    expect(await ask('GET', path, [...everyType, ['Authorization', 'Basic Yjpi']])).toMatchObject({ status: 401 });
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 401 });
    expect(await ask('GET', path, alice)).toMatchObject({ status: 200, cache: 'hit' });
  });

  it('is not opened up by a cookie that only one caller has', async () => {
    const { ask, upstream, services } = serving();
    await ask('GET', path, [...everyType, ['Cookie', 'session=1']]);
    expect(services.facts.link('registry', repositoryName('team/app'), 'manifest', digest(image.digest))).toBe(
      'private',
    );
    upstream.on('GET HEAD', path, errorAnswer(401, 'UNAUTHORIZED'));
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 401 });
  });
});

it('notes when a tag was pulled, by HEAD or GET, and not when there is none', async () => {
  const { ask, services } = serving();
  await ask('HEAD', path, everyType);
  await ask('GET', '/v2/team/app/manifests/none', everyType);
  await ask('GET', `/v2/team/app/manifests/${image.digest}`, everyType);
  expect([...services.facts.pulls.entries()]).toEqual([['registry/team/app:latest', services.clock.now]]);
});
