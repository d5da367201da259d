import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { errorAnswer, type FakeAnswer, guarded, registryHeaders } from '../support/fake-upstream.ts';
import { mediaTypes } from '../support/images.ts';
import type { Scene } from '../support/scene.ts';
import { byTag, d0, d1, derivedBytes, everyType, indexScene, repository } from './some-index.ts';

const attached = ['', '.sig', '.att', '.sbom'].map(
  (suffix) => `/v2/team/app/manifests/${d0.replace(':', '-')}${suffix}`,
);
const referrers = `/v2/team/app/referrers/${d0}`;

let scene: Scene;

beforeEach(() => {
  scene = indexScene();
});

describe('the guard for signatures', () => {
  const found: FakeAnswer = {
    status: 200,
    headers: registryHeaders(d0, Buffer.from('{}'), mediaTypes.ociManifest),
    body: '{}',
  };
  const list = (manifests: unknown): FakeAnswer => ({
    status: 200,
    body: JSON.stringify({ schemaVersion: 2, manifests }),
  });

  async function servedDigest(): Promise<string | undefined> {
    const get = await scene.ask('GET', byTag, everyType);
    const head = await scene.ask('HEAD', byTag, everyType);
    expect(head.header('Docker-Content-Digest')).toBe(get.header('Docker-Content-Digest'));
    expect(get.header('Docker-Content-Digest')).toBe(digestOf(get.body));
    return get.header('Docker-Content-Digest');
  }

  it('asks for the tags of cosign, the fallback tag and the referrers, once for each original', async () => {
    expect(await servedDigest()).toBe(d1);
    const questions = [...attached.map((path) => `HEAD ${path}`), `GET ${referrers}`];
    expect(scene.upstream.asked().toSorted()).toEqual([`GET ${byTag}`, ...questions].toSorted());
    expect(await servedDigest()).toBe(d1);
    expect(scene.upstream.asked()).toEqual([]);
  });

  it.each(attached)('leaves an original alone that %s belongs to', async (path) => {
    scene.upstream.on('HEAD', path, found);
    expect(await servedDigest()).toBe(d0);
    expect(scene.services.facts.signed('registry', repository, d0)).toBe(true);
    expect(scene.services.facts.derivedManifests).toEqual([]);
  });

  it('leaves an original alone that others refer to', async () => {
    scene.upstream.on('GET', referrers, list([{ mediaType: mediaTypes.ociManifest, digest: d0, size: 2 }]));
    expect(await servedDigest()).toBe(d0);
  });

  it('sees signatures that the Accept of the client does not name', async () => {
    const needsOci = ({ headers }: { headers: HeaderList }) =>
      headerValue(headers, 'Accept')?.includes(mediaTypes.ociManifest) ? found : errorAnswer(404, 'MANIFEST_UNKNOWN');
    scene.upstream.on('HEAD', attached[1] ?? '', needsOci);
    const answer = await scene.ask('GET', byTag, [['Accept', mediaTypes.ociIndex]]);
    expect(answer.header('Docker-Content-Digest')).toBe(d0);
  });

  it('asks with the credentials of the caller', async () => {
    const password = 'Basic YTph';
    scene.upstream.on('HEAD', attached[1] ?? '', guarded(password, found));
    const alice: HeaderList = [...everyType, ['Authorization', password]];
    expect((await scene.ask('GET', byTag, alice)).header('Docker-Content-Digest')).toBe(d0);
  });

  it.each([
    ['an empty list', list([])],
    ['a page', { status: 200, headers: [['Content-Type', 'text/html']], body: '<html>' } satisfies FakeAnswer],
    ['null', { status: 200, body: 'null' } satisfies FakeAnswer],
    ['400', errorAnswer(400, 'UNSUPPORTED')],
    ['405', errorAnswer(405, 'UNSUPPORTED')],
    ['501', errorAnswer(501, 'UNSUPPORTED')],
  ])('takes %s from the referrers API for none', async (_, answer) => {
    scene.upstream.on('GET', referrers, answer);
    expect(await servedDigest()).toBe(d1);
  });

  it('takes a list of referrers that is too long to read for some', async () => {
    scene.upstream.on('GET', referrers, { status: 200, body: Buffer.alloc(4 * 1024 * 1024 + 1, ' ') });
    expect(await servedDigest()).toBe(d0);
  });

  it.each([500, 503, 429, 401, 403])('leaves the original alone for now when the registry says %s', async (status) => {
    for (const path of [attached[2] ?? '', referrers]) {
      scene = indexScene();
      scene.upstream.on('HEAD GET', path, errorAnswer(status, 'UNKNOWN'));
      expect(await servedDigest()).toBe(d0);
      expect(scene.services.facts.signed('registry', repository, d0)).toBeUndefined();
      scene.upstream.on('HEAD GET', path, errorAnswer(404, 'MANIFEST_UNKNOWN'));
      expect(await servedDigest()).toBe(d1);
    }
  });

  it('leaves the original alone for now when the registry does not answer', async () => {
    const { upstream } = scene;
    upstream.on('GET', referrers, errorAnswer(500, 'UNKNOWN'));
    expect(await servedDigest()).toBe(d0);
    upstream.on('GET', referrers, errorAnswer(404, 'NAME_UNKNOWN'));
    upstream.down = true;
    expect(await servedDigest()).toBe(d0);
    upstream.down = false;
    expect(await servedDigest()).toBe(d1);
  });

  it('asks nobody when the operator forces the change', async () => {
    scene = indexScene({ settings: { 'index-without-mediatype': { mode: 'on', options: { force: 'yes' } } } });
    scene.upstream.on('HEAD', attached[1] ?? '', found);
    expect(await servedDigest()).toBe(d1);
    expect(scene.upstream.asked()).toEqual([`GET ${byTag}`]);
    expect(scene.services.facts.signed('registry', repository, d0)).toBeUndefined();
  });

  it('ends the change of what was signed after it was derived', async () => {
    expect(await servedDigest()).toBe(d1);
    scene.services.facts.putSigned('registry', repository, d0, true);
    expect(await servedDigest()).toBe(d0);
    expect((await scene.ask('GET', `/v2/team/app/manifests/${d1}`, everyType)).body).toEqual(derivedBytes);
  });
});
