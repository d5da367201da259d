import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { headUnsupported } from '../../src/fixes/head-unsupported.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';

const { id } = headUnsupported;
const image = sampleImage('oci-amd64');
const path = '/v2/team/app/manifests/latest';
const accept = [['Accept', manifestTypes.join(', ')] as const];
const headers = registryHeaders(image.digest, image.bytes, image.mediaType);
const blob = Buffer.from('a blob');
const blobPath = `/v2/team/app/blobs/${digestOf(blob)}`;

function refusing(scene: Scene, status: number): Scene {
  scene.upstream.on('HEAD', path, errorAnswer(status, 'UNSUPPORTED'));
  scene.upstream.on('GET', path, { status: 200, headers, body: image.bytes });
  return scene;
}

describe(id, () => {
  it.each([403, 404, 405, 501])('asks by GET after %i, and from then on at once', async (status) => {
    const { ask, upstream, services } = refusing(createScene({ tagTtl: 0 }), status);
    const first = await ask('HEAD', path, accept);
    expect([first.status, first.header('Docker-Content-Digest')]).toEqual([200, image.digest]);
    expect(first.fixes.map((fix) => fix.id)).toContain(id);
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
    expect(services.defects.proven('registry', id)).toEqual({});
    expect((await ask('HEAD', path, accept)).status).toBe(200);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('gives the registry a new chance after a while', async () => {
    const { ask, upstream, services } = refusing(createScene({ tagTtl: 0 }), 405);
    await ask('HEAD', path, accept);
    upstream.asked();
    services.clock.now += 11 * 60_000;
    await ask('HEAD', path, accept);
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });

  it.each([403, 404])('believes %i of a registry whose HEAD succeeded lately', async (status) => {
    const { ask, upstream } = createScene();
    upstream.serve('team/app', 'other', image.bytes, image.mediaType);
    await ask('HEAD', '/v2/team/app/manifests/other', accept);
    upstream.asked();
    upstream.on('GET HEAD', path, errorAnswer(status, 'DENIED'));
    expect((await ask('HEAD', path, accept)).status).toBe(status);
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
  });

  it('asks for what is not there once by GET, and believes HEAD about it for a minute', async () => {
    const { ask, upstream, services } = createScene();
    await ask('HEAD', path, accept);
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
    await ask('HEAD', path, accept);
    expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    services.clock.now += 61_000;
    await ask('HEAD', path, accept);
    expect(upstream.asked()).toEqual([`HEAD ${path}`, `GET ${path}`]);
  });

  it.each([401, 429, 500, 503])('is no reason to ask again after %i', async (status) => {
    const { ask, upstream } = refusing(createScene(), status);
    expect((await ask('HEAD', path, accept)).status).toBe(status);
    expect(upstream.asked().filter((question) => question.endsWith(path))).toEqual([`HEAD ${path}`]);
  });

  it('asks for the first byte of a blob, for its length and for the right to read it', async () => {
    const { ask, upstream, services } = createScene();
    upstream.on('HEAD', blobPath, { status: 405 });
    upstream.on('GET', blobPath, ({ headers: sent }) =>
      sent.some(([name]) => name === 'Range')
        ? { status: 206, headers: [['Content-Range', `bytes 0-0/${blob.length}`]], body: 'a' }
        : { status: 200, headers: [['Content-Length', String(blob.length)]], body: blob },
    );
    const head = await ask('HEAD', blobPath);
    expect([head.status, head.header('Content-Length')]).toEqual([200, String(blob.length)]);
    services.blobs.put(blob);
    const other = await ask('GET', blobPath, [['Authorization', 'Basic Yjpi']]);
    expect(other.body).toEqual(blob);
    expect(upstream.asked()).toEqual([`HEAD ${blobPath}`, `GET ${blobPath}`, `HEAD ${blobPath}`, `GET ${blobPath}`]);
  });

  it('says what it would have done in mode observe, and nothing when off', async () => {
    for (const mode of ['observe', 'off'] as const) {
      const { ask, upstream } = refusing(createScene({ settings: { [id]: { mode, options: {} } } }), 405);
      const answer = await ask('HEAD', path, accept);
      expect([answer.status, answer.fixes.some((fix) => fix.id === id)]).toEqual([405, mode === 'observe']);
      expect(upstream.asked()).toEqual([`HEAD ${path}`]);
    }
  });
});
