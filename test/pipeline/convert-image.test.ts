import { beforeEach, describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import { schema1PayloadDigest } from '../../src/domain/schema1.ts';
import { SIGNED_SCHEMA1 } from '../domain/signed-schema1.ts';
import { guarded } from '../support/fake-upstream.ts';
import { createScene, type Scene } from '../support/scene.ts';

const layer = Buffer.from('a layer that nobody packed');
const manifest = '/v2/team/app/manifests/latest';
const accept = [['Accept', DOCKER_MANIFEST]] as const;

let scene: Scene;
let blobPath: string;
let source: Buffer;

beforeEach(() => {
  scene = createScene({ settings: { 'schema1-only-image': { mode: 'on', options: {} } } });
  const digest = scene.services.blobs.put(layer);
  scene.upstream.on('GET HEAD', `/v2/team/app/blobs/${digest}`, { status: 200, body: layer });
  blobPath = `/v2/team/app/blobs/${digest}`;
  source = Buffer.from(SIGNED_SCHEMA1.replace(/sha256:[0-9a-f]{64}/, digest));
  const headers = [['Content-Type', SCHEMA1_SIGNED]] as const;
  scene.upstream.on('GET HEAD', manifest, { status: 200, headers, body: source });
});

describe('the conversion of a schema 1 image', () => {
  it('is done once, and then only looked up', async () => {
    const first = await scene.ask('GET', manifest, accept);
    expect(first.header('Content-Type')).toBe(DOCKER_MANIFEST);
    expect(first.fixes).toContainEqual(expect.objectContaining({ id: 'schema1-only-image', mode: 'on' }));
    scene.upstream.asked();
    expect((await scene.ask('GET', manifest, accept)).body).toEqual(first.body);
    expect(scene.upstream.asked().filter((line) => line.includes('/blobs/'))).toEqual([]);
  });

  it.each([
    ['the registry refuses a layer', () => scene.upstream.on('GET HEAD', blobPath, { status: 404 }), /answered 404/],
    [
      'a signature exists',
      () => {
        const tag = `/v2/team/app/manifests/${schema1PayloadDigest(source)?.replace(':', '-')}.sig`;
        scene.upstream.on('HEAD', tag, { status: 200 });
      },
      /signatures or referrers/,
    ],
    [
      'it cannot be stored',
      () => {
        scene.services.facts.readOnly = true;
      },
      /could not be stored/,
    ],
  ])('is left out, with the reason in the log, when %s', async (_, spoil, reason) => {
    spoil();
    const answer = await scene.ask('GET', manifest, accept);
    expect(answer.body).toEqual(source);
    expect(answer.fixes).toContainEqual({
      id: 'schema1-only-image',
      mode: 'observe',
      note: expect.stringMatching(reason),
    });
  });
});

describe('the config of a converted image', () => {
  it('is served to those only who may read the original', async () => {
    const { body } = await scene.ask('GET', manifest, accept);
    const path = `/v2/team/app/blobs/${JSON.parse(body.toString()).config.digest}`;
    const [kept] = scene.services.facts.derivedManifests;
    const at = `/v2/team/app/manifests/${kept?.original}`;
    scene.upstream.on('GET HEAD', at, guarded('Basic YTph', { status: 200, body: source }));
    scene.upstream.on('GET', path, guarded('Basic YTph', { status: 404 }));
    const alice = await scene.ask('GET', path, [['Authorization', 'Basic YTph']]);
    expect([alice.status, alice.body.toString()]).toEqual([200, Buffer.from(kept?.config?.bytes ?? []).toString()]);
    expect((await scene.ask('GET', path, [['Authorization', 'Basic Yjpi']])).status).toBe(401);
    expect((await scene.ask('GET', path.replace('team/app', 'team/other'))).status).toBe(404);
    scene.upstream.down = true;
    expect((await scene.ask('GET', path, [['Authorization', 'Basic Yjpi']])).status).toBe(502);
  });
});
