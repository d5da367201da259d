import { describe, expect, it } from 'vitest';
import { headPresigned403 } from '../../src/fixes/head-presigned-403.ts';
import { createScene } from '../support/scene.ts';
import { someDigest } from '../support/views.ts';

const { id } = headPresigned403;
const path = `/v2/team/app/blobs/${someDigest}`;

describe(id, () => {
  it.each([
    ['on', true],
    ['observe', false],
    ['off', false],
  ] as const)('in mode %s lets storage be asked by GET: %s', async (mode, probes) => {
    const { ask, upstream } = createScene({ settings: { [id]: { mode, options: {} } } });
    upstream.on('HEAD', path, { status: 200, headers: [['Content-Length', '5']], redirected: true });
    await ask('HEAD', path);
    expect(upstream.requests[0]?.probeStorage).toBe(probes);
  });

  it('says when it was needed', async () => {
    const { ask, upstream } = createScene();
    const head = { status: 200, headers: [['Content-Length', '5'] as const], redirected: true };
    upstream.on('HEAD', path, { ...head, probed: true });
    expect((await ask('HEAD', path)).fixes.map((fix) => fix.id)).toContain(id);
    upstream.on('HEAD', path, head);
    expect((await ask('HEAD', path)).fixes.map((fix) => fix.id)).not.toContain(id);
  });
});
