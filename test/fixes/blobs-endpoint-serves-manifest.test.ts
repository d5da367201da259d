import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { blobsEndpointServesManifest } from '../../src/fixes/blobs-endpoint-serves-manifest.ts';
import { sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';

const { id } = blobsEndpointServesManifest;
const image = sampleImage('index');
const path = `/v2/team/app/blobs/${image.digest}`;

/** A registry that serves a manifest below /blobs/, too. */
function serving(scene: Scene = createScene()): Scene {
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  const headers = [['Content-Length', String(image.bytes.length)] as const];
  scene.upstream.on('GET HEAD', path, { status: 200, headers, body: image.bytes });
  return scene;
}

describe(id, () => {
  it('answers 404 to GET, and to HEAD once it was seen', async () => {
    const { ask, services } = serving();
    expect((await ask('HEAD', path)).status).toBe(200);
    const get = await ask('GET', path);
    expect([get.status, JSON.parse(get.body.toString()).errors[0].code]).toEqual([404, 'BLOB_UNKNOWN']);
    expect(get.fixes.map((fix) => fix.id)).toContain(id);
    expect((await ask('HEAD', path)).status).toBe(404);
    expect(services.blobs.stored.size).toBe(0);
    expect(services.defects.proven('registry', id)).toEqual({});
  });

  it('answers 404 to HEAD of a manifest that was pulled', async () => {
    const { ask } = serving();
    await ask('GET', '/v2/team/app/manifests/latest');
    expect((await ask('HEAD', path)).status).toBe(404);
  });

  it('lets a document pass that the repository has only as a blob', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', path, { status: 200, body: image.bytes });
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: image.bytes });
  });

  it('lets a layer pass that a manifest names', async () => {
    const { ask, services } = serving();
    services.descriptors.note('registry', [{ role: 'layer', position: 0, digest: image.digest as never, size: 1 }]);
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: image.bytes });
  });

  it.each(['{"a":1}', '{"architecture":"amd64"}', 'plain', ''])('lets the blob %s pass', async (content) => {
    const { ask, upstream } = createScene();
    const bytes = Buffer.from(content);
    const target = `/v2/team/app/blobs/${digestOf(bytes)}`;
    upstream.on('GET', target, { status: 200, body: bytes });
    expect(await ask('GET', target)).toMatchObject({ status: 200, body: bytes });
  });

  it('keeps what came when the registry breaks off, and a long document flowing', async () => {
    const { ask, upstream } = createScene();
    const long = Buffer.from(`{"a":"${'x'.repeat(9 * 1024 * 1024)}"}`);
    const target = `/v2/team/app/blobs/${digestOf(long)}`;
    upstream.on('GET', target, { status: 200, body: Readable.from(chunksOf(long), { objectMode: false }) });
    expect((await ask('GET', target)).body.equals(long)).toBe(true);
    const broken = createScene();
    async function* breaking() {
      yield image.bytes.subarray(0, 20);
      throw new Error('cut');
    }
    broken.upstream.on('GET', path, { status: 200, body: Readable.from(breaking(), { objectMode: false }) });
    await expect(broken.ask('GET', path)).rejects.toThrow();
  });

  it.each(['observe', 'off'] as const)('leaves the answer as it is in mode %s', async (mode) => {
    const { ask } = serving(createScene({ settings: { [id]: { mode, options: {} } } }));
    const answer = await ask('GET', path);
    expect([answer.status, answer.fixes.some((fix) => fix.id === id)]).toEqual([200, mode === 'observe']);
  });
});

function* chunksOf(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 1024 * 1024) yield bytes.subarray(at, at + 1024 * 1024);
}
