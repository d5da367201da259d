import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { parseTag } from '../../src/domain/reference.ts';
import { coolDown, denial } from '../support/content-rules.ts';
import { errorAnswer, guarded } from '../support/fake-upstream.ts';
import { manifestTypes, mediaTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

const before = withDigest('oci-amd64');
const after = withDigest('docker-amd64');
const latest = parseTag('latest') ?? expect.unreachable();
const path = '/v2/team/app/manifests/latest';
const byDigest = (digest: string) => `/v2/team/app/manifests/${digest}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function withDigest(name: Parameters<typeof sampleImage>[0]) {
  const image = sampleImage(name);
  return { ...image, digest: digest(image.digest) };
}

/** A tag that was pulled, and moved a day later; `after` is known for an hour by now. */
async function moved(options: Parameters<typeof createScene>[0] = {}): Promise<Scene> {
  const scene = createScene({ content: { coolDown: [coolDown(DAY)] }, ...options });
  scene.upstream.serve('team/app', 'latest', before.bytes, before.mediaType);
  await scene.ask('GET', path, everyType);
  scene.services.clock.now += DAY;
  scene.upstream.serve('team/app', 'latest', after.bytes, after.mediaType);
  await scene.ask('GET', path, everyType);
  scene.services.clock.now += HOUR;
  scene.upstream.asked();
  return scene;
}

describe('a tag that moved a moment ago', () => {
  it('is served as before, marked, and alike to GET and HEAD', async () => {
    const { ask, services } = await moved();
    const since = services.clock.now - HOUR;
    const got = await ask('GET', path, everyType);
    expect(got).toMatchObject({ status: 200, cache: 'hit', body: before.bytes });
    expect(got.header('Docker-Content-Digest')).toBe(before.digest);
    expect(got.header('Manifix-Policy')).toBe('cool-down');
    expect(got.header('Manifix-Held-Digest')).toBe(after.digest);
    const [first, until] = [since, since + DAY].map((time) => new Date(time).toISOString());
    expect(got.header('Warning')).toBe(
      `299 - "manifix: the tag moved to ${after.digest}, seen first at ${first}; until ${until} it is served as before"`,
    );
    const head = await ask('HEAD', path, everyType);
    expect(head).toMatchObject({ status: 200, headers: got.headers });
  });

  it('is served as it is now once that is old enough, without the mark', async () => {
    const { ask, services } = await moved();
    services.clock.now += DAY - HOUR;
    const got = await ask('GET', path, everyType);
    expect(got.body).toEqual(after.bytes);
    expect(got.header('Manifix-Policy')).toBeUndefined();
    expect(got.header('Warning')).toBeUndefined();
  });

  it('is not served earlier because the clock was set back', async () => {
    const { ask, services } = await moved();
    services.clock.now -= 10 * DAY;
    expect((await ask('GET', path, everyType)).body).toEqual(before.bytes);
  });

  it('is served by digest as what was asked for, old and new', async () => {
    const { ask } = await moved();
    expect((await ask('GET', byDigest(after.digest))).body).toEqual(after.bytes);
    const old = await ask('GET', byDigest(before.digest));
    expect(old.body).toEqual(before.bytes);
    expect(old.header('Manifix-Policy')).toBeUndefined();
  });

  it('is served as before also after the registry deleted that, by tag and by digest', async () => {
    const { ask, services, upstream } = await moved();
    upstream.on('GET HEAD', byDigest(before.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    services.facts.dropLink('registry', repositoryName('team/app'), 'manifest', before.digest);
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 200, body: before.bytes });
    expect(await ask('GET', byDigest(before.digest))).toMatchObject({ status: 200, body: before.bytes });
  });

  it('is fetched from the registry as it was before when the cache has lost it', async () => {
    const scene = await moved();
    scene.services.manifests.lose(before.digest);
    const got = await scene.ask('GET', path, everyType);
    expect(got).toMatchObject({ status: 200, cache: 'miss', stored: true, body: before.bytes });
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`, `GET ${byDigest(before.digest)}`]);
  });

  it('is served as it is, and says so, when nobody has what it was before', async () => {
    const { ask, services, upstream } = await moved();
    services.manifests.lose(before.digest);
    upstream.on('GET HEAD', byDigest(before.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    const got = await ask('GET', path, everyType);
    expect(got.body).toEqual(after.bytes);
    expect(got.header('Manifix-Policy')).toBe('cool-down-void');
    expect(got.header('Warning')).toContain(`${before.digest}, which should be served until`);
  });

  it('is not served with the new content because the registry fails to give the old', async () => {
    const { ask, services, upstream } = await moved();
    services.manifests.lose(before.digest);
    upstream.on('GET HEAD', byDigest(before.digest), errorAnswer(503, 'UNAVAILABLE'));
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 503 });
  });

  it('is served as before while the registry is down', async () => {
    const { ask, upstream } = await moved();
    upstream.down = true;
    const got = await ask('GET', path, everyType);
    expect(got).toMatchObject({ status: 200, cache: 'stale', body: before.bytes });
    expect(got.header('Manifix-Policy')).toBe('cool-down');
  });

  it('is not served with what is denied in the meantime', async () => {
    const rules = { coolDown: [coolDown(DAY)], deny: [denial({ digests: [before.digest] })] };
    const { ask } = await moved({ content: rules });
    expect((await ask('GET', path, everyType)).body).toEqual(after.bytes);
  });

  it('shows nothing of it to those who may not read the repository', async () => {
    const { ask, upstream, services } = await moved();
    for (const reference of ['latest', before.digest, after.digest]) {
      const headers: HeaderList = [['Content-Type', after.mediaType]];
      upstream.on(
        'GET HEAD',
        `/v2/team/app/manifests/${reference}`,
        guarded('Basic YTph', { status: 200, headers, body: after.bytes }),
      );
    }
    services.grants.clear();
    const got = await ask('GET', path, everyType);
    expect(got).toMatchObject({ status: 401 });
    expect(got.headers.map(([name]) => name)).not.toContain('Manifix-Policy');
    expect(`${got.body}`).not.toContain('sha256');
  });
});

describe('a tag of which nothing is old enough', () => {
  it('is served the first time, and stays so while it moves on', async () => {
    const scene = createScene({ tagTtl: 0, content: { coolDown: [coolDown(DAY)] } });
    scene.upstream.serve('team/app', 'latest', before.bytes, before.mediaType);
    const first = await scene.ask('GET', path, everyType);
    expect(first.body).toEqual(before.bytes);
    expect(first.header('Manifix-Policy')).toBeUndefined();
    scene.services.clock.now += HOUR;
    scene.upstream.serve('team/app', 'latest', after.bytes, after.mediaType);
    expect((await scene.ask('GET', path, everyType)).body).toEqual(before.bytes);
  });

  it('is refused with the time from which it will be served, when the operator wants that', async () => {
    const scene = createScene({ content: { coolDown: [coolDown(DAY, 'refuse')] } });
    scene.upstream.serve('team/app', 'latest', before.bytes, before.mediaType);
    const refused = await scene.ask('GET', path, everyType);
    const until = new Date(scene.services.clock.now + DAY).toISOString();
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body.toString()).errors[0]).toMatchObject({
      code: 'DENIED',
      message: `held back until ${until}`,
      detail: { digest: before.digest, until },
    });
    expect(await scene.ask('HEAD', path, everyType)).toMatchObject({ status: 403 });
    expect(await scene.ask('GET', byDigest(before.digest))).toMatchObject({ status: 200 });
    scene.services.clock.now += DAY;
    expect((await scene.ask('GET', path, everyType)).body).toEqual(before.bytes);
  });

  it('is refused also when what it was before is gone', async () => {
    const { ask, services, upstream } = await moved({ content: { coolDown: [coolDown(DAY, 'refuse')] } });
    services.manifests.lose(before.digest);
    upstream.on('GET HEAD', byDigest(before.digest), errorAnswer(404, 'MANIFEST_UNKNOWN'));
    expect(await ask('GET', path, everyType)).toMatchObject({ status: 403 });
  });

  it('is another one for clients that accept other types and are given something else', async () => {
    const { ask, upstream } = await moved();
    const accept: HeaderList = [['Accept', mediaTypes.dockerManifest]];
    expect((await ask('GET', path, accept)).body).toEqual(before.bytes);
    const third = sampleImage('list');
    upstream.serve('team/app', 'latest', third.bytes, third.mediaType);
    const otherwise: HeaderList = [['Accept', mediaTypes.ociManifest]];
    expect((await ask('GET', path, otherwise)).body).toEqual(third.bytes);
  });
});

describe('a tag that no rule names', () => {
  it('is served as it is, and its history is known all the same', async () => {
    const { ask, services } = await moved({ content: {} });
    const got = await ask('GET', path, everyType);
    expect(got.body).toEqual(after.bytes);
    expect(services.tagHistory.of('registry', repositoryName('team/app'), latest)).toMatchObject([
      { digest: before.digest, turn: 1 },
      { digest: after.digest, turn: 2 },
    ]);
  });
});
