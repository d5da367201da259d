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

  it('is told to the operator, every ten minutes as long as it goes on', async () => {
    const { ask, upstream, services } = await cached(true);
    upstream.on('GET HEAD', byTag, errorAnswer(401, 'UNAUTHORIZED'));
    for (const minutes of [0, 9, 1]) {
      services.clock.now += minutes * 60_000;
      await ask('GET', byTag, everyType);
      await ask('HEAD', byTag, everyType);
    }
    const warning = 'a registry refuses the account of manifix; what is known is served';
    expect(services.telemetry.warnings).toEqual([warning, warning]);
  });

  it('is the reason for what is not known', async () => {
    const { ask, upstream } = await cached(true);
    upstream.on('GET HEAD', '/v2/team/app/manifests/other', errorAnswer(403, 'DENIED'));
    const answer = await ask('GET', '/v2/team/app/manifests/other', everyType);
    expect([answer.status, answer.body.toString()]).toEqual([403, expect.stringContaining('upstreams.registry')]);
  });

  it('leaves a list of referrers readable', async () => {
    const { ask, answer, upstream } = await cached(true);
    const list = `/v2/team/app/referrers/${image.digest}`;
    upstream.on('GET', list, { status: 200, body: '{"schemaVersion":2,"manifests":[]}' });
    expect(await ask('GET', list)).toMatchObject({ status: 200 });
    upstream.on('GET', list, errorAnswer(403, 'DENIED'));
    expect(await answer('GET', list)).toMatchObject({ status: 200, staleReason: 'account-refused' });
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
