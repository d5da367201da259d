import { describe, expect, it } from 'vitest';
import type { View } from '../../src/domain/accept.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { parseTag } from '../../src/domain/reference.ts';
import { pinOf } from '../support/content-rules.ts';
import { errorAnswer, guarded } from '../support/fake-upstream.ts';
import { manifestTypes, mediaTypes, type SampleName, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest, repositoryName, someDigest } from '../support/views.ts';

const image = (name: SampleName) => ({ ...sampleImage(name), digest: digest(sampleImage(name).digest) });
const good = image('oci-amd64');
const bad = image('docker-amd64');
const untyped = image('index-nomt');
const path = '/v2/team/app/manifests/latest';
const byDigest = (of: string) => `/v2/team/app/manifests/${of}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** A registry whose tag means `bad`, and an endpoint that pins it to something else. */
function pinned(to = good): Scene {
  const scene = createScene({ content: { pins: [pinOf(to.digest)] } });
  scene.upstream.serve('team/app', 'good', to.bytes, to.mediaType);
  scene.upstream.serve('team/app', 'latest', bad.bytes, bad.mediaType);
  return scene;
}

describe('a pinned tag', () => {
  it('is served with its digest whatever the registry says, marked, and alike to GET and HEAD', async () => {
    const { ask, upstream } = pinned();
    const head = await ask('HEAD', path, everyType);
    const got = await ask('GET', path, everyType);
    expect(got).toMatchObject({ status: 200, cache: 'hit', body: good.bytes });
    expect(got.header('Docker-Content-Digest')).toBe(good.digest);
    expect(got.header('Manifix-Policy')).toBe('pin');
    expect(got.header('Warning')).toBe(`299 - "manifix: the tag is pinned to ${good.digest}"`);
    expect(got.header('Cache-Control')).toBe('no-cache');
    const named = ['Content-Type', 'Docker-Content-Digest', 'Content-Length', 'ETag', 'Manifix-Policy', 'Warning'];
    for (const name of named) expect(head.header(name), name).toBe(got.header(name));
    expect(upstream.asked()).toEqual([`HEAD ${byDigest(good.digest)}`, `GET ${byDigest(good.digest)}`]);
  });

  it('costs no further question once it is known', async () => {
    const { ask, upstream } = pinned();
    await ask('GET', path, everyType);
    upstream.asked();
    expect(await ask('GET', path, everyType)).toMatchObject({ cache: 'hit', body: good.bytes });
    expect(upstream.asked()).toEqual([]);
  });

  it('is derived from its digest as any tag is, also when the derived digest was named', async () => {
    const { ask, services } = pinned(untyped);
    const derived = await ask('GET', path, everyType);
    const name = derived.header('Docker-Content-Digest') ?? '';
    expect(name).not.toBe(untyped.digest);
    expect(derived.header('Manifix-Original-Digest')).toBe(untyped.digest);
    services.pins.put('registry', 'team/app', 'latest', digest(name));
    const again = await ask('GET', path, everyType);
    expect(again.body).toEqual(derived.body);
    expect(again.headers).toEqual(derived.headers);
  });

  it('follows the pin that was set by command before that of the configuration', async () => {
    const { ask, services } = pinned();
    services.pins.put('registry', 'team/app', 'latest', bad.digest);
    expect((await ask('GET', path, everyType)).body).toEqual(bad.bytes);
  });

  it('answers a client that has it already with 304', async () => {
    const { ask } = pinned();
    const answer = await ask('GET', path, [...everyType, ['If-None-Match', `"${good.digest}"`]]);
    expect(answer.status).toBe(304);
    expect(answer.header('Manifix-Policy')).toBe('pin');
  });

  it('is the same for clients that accept less', async () => {
    const { ask } = pinned();
    expect((await ask('GET', path, [['Accept', mediaTypes.dockerManifest]])).body).toEqual(good.bytes);
  });

  it('is served while the registry is down', async () => {
    const { ask, upstream } = pinned();
    await ask('GET', path, everyType);
    upstream.down = true;
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, body: good.bytes });
  });

  it('is served from the cache to those who may read the repository after the registry deleted it', async () => {
    const { ask, upstream, services } = pinned();
    await ask('GET', path, everyType);
    upstream.on('GET HEAD', byDigest(good.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    upstream.on('GET', '/v2/team/app/tags/list', { status: 200, body: '{"name":"team/app","tags":[]}' });
    services.grants.clear();
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit', body: good.bytes });
    services.facts.dropLink('registry', repositoryName('team/app'), 'manifest', good.digest);
    const seen = { view: 'all' as View, digest: good.digest, at: 1, by: 'pull' } as const;
    services.tagHistory.note('registry', repositoryName('team/app'), parseTag('latest') ?? expect.unreachable(), seen);
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit', body: good.bytes });
    expect(await ask('GET', byDigest(good.digest))).toMatchObject({ status: 200, body: good.bytes });
  });

  it('is not served with what only another repository has', async () => {
    const { ask, upstream } = pinned();
    upstream.serve('secret/app', 'latest', good.bytes, good.mediaType);
    await ask('GET', '/v2/secret/app/manifests/latest', everyType);
    upstream.on('GET HEAD', byDigest(good.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    upstream.on('GET', '/v2/team/app/tags/list', { status: 200, body: '{"name":"team/app","tags":[]}' });
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 404 });
  });

  it('is explained when nobody has its digest', async () => {
    const { ask, upstream } = pinned();
    upstream.on('GET', '/v2/team/app/tags/list', { status: 200, body: '{"name":"team/app","tags":[]}' });
    upstream.on('GET HEAD', byDigest(good.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    const answer = await ask('GET', path, everyType);
    expect(answer.status).toBe(404);
    const [error] = JSON.parse(answer.body.toString()).errors;
    expect(error).toMatchObject({ code: 'MANIFEST_UNKNOWN', detail: { pinned: good.digest } });
    expect(error.detail.manifix).toContain(`pinned to ${good.digest}, which neither the registry nor the cache has`);
  });

  it('shows nothing of the pin to those who may not read the repository', async () => {
    const { ask, upstream } = pinned();
    const content = { status: 200, headers: [['Content-Type', good.mediaType]] as const, body: good.bytes };
    upstream.on('GET HEAD', byDigest(good.digest), guarded('Basic YTph', content));
    const refused = await ask('GET', path, everyType);
    expect(refused.status).toBe(401);
    upstream.on('GET HEAD', byDigest(good.digest), errorAnswer(404, 'NAME_UNKNOWN'));
    const hidden = await ask('GET', path, everyType);
    expect(hidden.status).toBe(404);
    for (const answer of [refused, hidden]) {
      expect(`${answer.headers} ${answer.body}`).not.toMatch(/pin|sha256/);
    }
  });

  it('leaves digests and other tags alone', async () => {
    const { ask } = pinned();
    expect((await ask('GET', byDigest(bad.digest))).body).toEqual(bad.bytes);
    expect((await ask('GET', '/v2/team/app/manifests/good')).header('Manifix-Policy')).toBeUndefined();
    expect((await ask('GET', byDigest(someDigest))).status).toBe(404);
  });
});
