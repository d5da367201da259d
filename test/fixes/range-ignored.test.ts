import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { rangeIgnored } from '../../src/fixes/range-ignored.ts';
import { createScene, type Scene } from '../support/scene.ts';

const { id } = rangeIgnored;
const blob = Buffer.from('0123456789');
const path = `/v2/team/app/blobs/${digestOf(blob)}`;

function whole(scene: Scene, headers: readonly (readonly [string, string])[] = [['Content-Length', '10']]): Scene {
  scene.upstream.on('GET', path, { status: 200, headers, body: blob });
  return scene;
}

describe(id, () => {
  it('cuts the part out of the whole, which is stored', async () => {
    const { ask, services, upstream } = whole(createScene());
    const part = await ask('GET', path, [['Range', 'bytes=5-7']]);
    expect([part.status, part.body.toString(), part.header('Content-Range')]).toEqual([206, '567', 'bytes 5-7/10']);
    expect(part.fixes.map((fix) => fix.id)).toEqual([id]);
    expect(services.blobs.stored.get(digestOf(blob))).toEqual(blob);
    expect(upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('sends the whole where the length is unknown', async () => {
    const { ask } = whole(createScene(), []);
    expect(await ask('GET', path, [['Range', 'bytes=5-7']])).toMatchObject({ status: 200, body: blob });
  });

  it('leaves a part alone that the registry cut', async () => {
    const { ask, upstream } = createScene();
    upstream.on('GET', path, { status: 206, headers: [['Content-Range', 'bytes 5-7/10']], body: '567' });
    const part = await ask('GET', path, [['Range', 'bytes=5-7']]);
    expect([part.status, part.fixes.some((fix) => fix.id === id)]).toEqual([206, false]);
  });

  it.each(['observe', 'off'] as const)('passes the whole on in mode %s', async (mode) => {
    const { ask } = whole(createScene({ settings: { [id]: { mode, options: {} } } }));
    const answer = await ask('GET', path, [['Range', 'bytes=5-7']]);
    expect([answer.status, answer.body]).toEqual([200, blob]);
    expect(answer.fixes.some((fix) => fix.id === id)).toBe(mode === 'observe');
  });
});
