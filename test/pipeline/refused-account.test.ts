import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { errorAnswer } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene } from '../support/scene.ts';

const image = sampleImage('oci-amd64');
const byTag = '/v2/team/app/manifests/latest';
const byDigest = `/v2/team/app/manifests/${image.digest}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** An image that is cached, of a registry that is asked in manifix's own name: by an account, or as nobody. */
async function cached(hasAccount: boolean) {
  const scene = createScene({ tagTtl: 0 });
  Object.assign(scene.upstream, { authority: 'own', hasAccount });
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  expect(await scene.ask('GET', byTag, everyType)).toMatchObject({ status: 200 });
  return scene;
}

describe('an account of manifix that the registry refuses', () => {
  it.each([
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
  ])('leaves cached tags and digests readable, and says so: %i', async (status, code) => {
    const { ask, answer, upstream } = await cached(true);
    upstream.on('GET HEAD', byTag, errorAnswer(status, code));
    upstream.on('GET HEAD', byDigest, errorAnswer(status, code));
    for (const method of ['GET', 'HEAD']) {
      const stale = await answer(method, byTag, everyType);
      expect([stale.status, stale.cache, stale.staleReason]).toEqual([200, 'stale', 'account-refused']);
      expect(await ask(method, byDigest, everyType)).toMatchObject({ status: 200 });
    }
    expect((await ask('GET', byTag, everyType)).header('Warning')).toBe(
      '299 - "manifix: the registry refuses the account of manifix; this is the last known content"',
    );
  });

  it('is the reason for what is not known', async () => {
    const { ask, upstream } = await cached(true);
    upstream.on('GET HEAD', '/v2/team/app/manifests/other', errorAnswer(403, 'DENIED'));
    const answer = await ask('GET', '/v2/team/app/manifests/other', everyType);
    expect([answer.status, answer.body.toString()]).toEqual([403, expect.stringContaining('upstreams.registry')]);
  });

  it('says nothing about a tag that is gone', async () => {
    const { ask, upstream } = await cached(true);
    upstream.on('GET HEAD', byTag, errorAnswer(404, 'MANIFEST_UNKNOWN'));
    expect(await ask('GET', byTag, everyType)).toMatchObject({ status: 404 });
  });
});

it('a registry that is asked as nobody means what it refuses: it is public no longer', async () => {
  const { ask, upstream } = await cached(false);
  upstream.on('GET HEAD', byTag, errorAnswer(401, 'UNAUTHORIZED'));
  expect(await ask('GET', byTag, everyType)).toMatchObject({ status: 401 });
});
