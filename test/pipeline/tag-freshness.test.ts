import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { compileTagRules } from '../../src/domain/tag-policy.ts';
import { changesName } from '../../src/pipeline/resolve-once.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest } from '../support/views.ts';

const image = sampleImage('oci-amd64');
const other = sampleImage('docker-amd64');
const path = '/v2/team/app/manifests/latest';
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];
const alice: HeaderList = [...everyType, ['Authorization', 'Basic YTph']];
const bob: HeaderList = [...everyType, ['Authorization', 'Basic Yjpi']];
const gone = errorAnswer(404, 'MANIFEST_UNKNOWN', 'gone');

function serving(options?: Parameters<typeof createScene>[0]): Scene {
  const scene = createScene(options);
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  return scene;
}

describe('tags by pattern', () => {
  it('are believed for as long as their pattern says', async () => {
    const ttlOf = compileTagRules([{ pattern: 'sha-*', ttl: Number.POSITIVE_INFINITY }], 1_000);
    const scene = serving({ freshness: { ttlOf } });
    scene.upstream.serve('team/app', 'sha-1', image.bytes, image.mediaType);
    const fixed = '/v2/team/app/manifests/sha-1';
    for (const each of [path, fixed]) await scene.ask('GET', each, everyType);
    scene.services.clock.now += 1e12;
    scene.upstream.asked();
    for (const each of [path, fixed]) await scene.ask('GET', each, everyType);
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`]);
  });
});

describe('a tag just past its time', () => {
  it('is answered at once and asked for behind the answer, when that is wanted', async () => {
    const scene = serving({ tagTtl: 1_000, freshness: { staleWhileRevalidate: 500 } });
    await scene.ask('GET', path, everyType);
    scene.services.clock.now += 1_400;
    scene.upstream.serve('team/app', 'latest', other.bytes, other.mediaType);
    const gate = barrier();
    scene.upstream.on('HEAD', path, async () => {
      await gate.passed;
      return { status: 200, headers: registryHeaders(other.digest, other.bytes, other.mediaType) };
    });
    const early = await scene.ask('GET', path, everyType);
    expect(early).toMatchObject({ status: 200, cache: 'stale', body: image.bytes });
    expect(early.header('Warning')).toBeUndefined();
    gate.release();
    await expect.poll(() => scene.services.manifests.stored.has(digest(other.digest))).toBe(true);
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ cache: 'hit', body: other.bytes });
  });

  it('waits for the registry when the caller may not read what is here', async () => {
    const scene = serving({ tagTtl: 1_000, freshness: { staleWhileRevalidate: 500 } });
    await scene.ask('GET', path, alice);
    scene.services.clock.now += 1_400;
    scene.upstream.on('GET HEAD', path, errorAnswer(401, 'UNAUTHORIZED'));
    expect(await scene.ask('GET', path, bob)).toMatchObject({ status: 401 });
  });
});

describe('a tag whose time is long over', () => {
  it('is not answered any more during an outage', async () => {
    const scene = serving({ tagTtl: 1_000, freshness: { staleFor: 10_000 } });
    await scene.ask('GET', path, everyType);
    scene.upstream.down = true;
    scene.services.clock.now += 10_999;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'stale' });
    scene.services.clock.now += 1;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 502 });
  });

  it('is told by a warning when it is answered', async () => {
    const scene = serving({ tagTtl: 0 });
    await scene.ask('GET', path, everyType);
    scene.upstream.down = true;
    expect((await scene.ask('GET', path, everyType)).header('Warning')).toMatch(/^299 - "manifix: the registry cannot/);
  });
});

describe('a tag that is gone', () => {
  it('is forgotten, so that no outage brings it back', async () => {
    const scene = serving({ tagTtl: 0 });
    await scene.ask('GET', path, everyType);
    scene.upstream.on('GET HEAD', path, gone);
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 404 });
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 502 });
  });

  it('is not forgotten because somebody without rights is told 404', async () => {
    const scene = serving({ tagTtl: 0 });
    await scene.ask('GET', path, alice);
    scene.upstream.on('GET HEAD', path, gone);
    expect(await scene.ask('GET', path, bob)).toMatchObject({ status: 404 });
    scene.upstream.down = true;
    expect(await scene.ask('GET', path, alice)).toMatchObject({ status: 200, cache: 'stale' });
  });
});

describe('what the registry does not have', () => {
  it('is remembered for a moment, for the same caller', async () => {
    const scene = createScene({ freshness: { notFoundTtl: 5_000 } });
    const first = await scene.ask('GET', path, everyType);
    const second = await scene.ask('GET', path, everyType);
    expect(second).toMatchObject({ status: 404, cache: 'hit', body: first.body });
    expect(scene.upstream.asked()).toEqual([`GET ${path}`]);
    await scene.ask('GET', path, alice);
    expect(scene.upstream.asked()).toEqual([`GET ${path}`]);
    scene.services.clock.now += 5_000;
    await scene.ask('GET', path, everyType);
    expect(scene.upstream.asked()).toEqual([`GET ${path}`]);
  });

  it('is not what it refuses', async () => {
    const scene = createScene({ freshness: { notFoundTtl: 5_000 } });
    scene.upstream.on('GET', path, errorAnswer(401, 'UNAUTHORIZED'));
    await scene.ask('GET', path, everyType);
    await scene.ask('GET', path, everyType);
    expect(scene.upstream.asked().filter((asked) => asked === `GET ${path}`)).toHaveLength(2);
  });

  it('is asked for anew after a push', async () => {
    const scene = createScene({ freshness: { notFoundTtl: 5_000 } });
    await scene.ask('GET', path, everyType);
    scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
    scene.services.changes.changed(changesName('registry', 'team/app'));
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200 });
  });
});

describe('a push while the registry is asked for the tag', () => {
  it('makes the answer worthless for whoever asks after it', async () => {
    const scene = serving();
    const gate = barrier();
    scene.upstream.on('GET', path, async () => {
      await gate.passed;
      return { status: 200, headers: registryHeaders(image.digest, image.bytes, image.mediaType), body: image.bytes };
    });
    const before = scene.ask('GET', path, everyType);
    scene.services.changes.changed(changesName('registry', 'team/app'));
    scene.upstream.serve('team/app', 'latest', other.bytes, other.mediaType);
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, body: other.bytes });
    gate.release();
    await before;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ cache: 'hit', body: other.bytes });
  });
});

describe('a clock that jumps', () => {
  it.each([
    ['back by a day', -86_400_000],
    ['forward by a day', 86_400_000],
    ['back by an hour', -3_600_000],
  ])('%s costs one question and no answer', async (_, jump) => {
    const scene = serving();
    await scene.ask('GET', path, everyType);
    scene.services.clock.now += jump;
    scene.upstream.asked();
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, body: image.bytes });
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit' });
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`]);
  });

  it('leaves an outage bearable', async () => {
    const scene = serving();
    await scene.ask('GET', path, everyType);
    scene.upstream.down = true;
    scene.services.clock.now -= 86_400_000;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'stale' });
  });
});

describe('a registry that tells how many requests it allows', () => {
  const allows = (budget: number) => ({ ask: true, patience: Number.POSITIVE_INFINITY, budget });

  it('is asked less often about tags as that shrinks, and as ever when it has grown again', async () => {
    const scene = serving({ tagTtl: 1_000 });
    await scene.ask('GET', path, everyType);
    scene.upstream.asked();
    scene.upstream.expected = allows(0.1);
    scene.services.clock.now += 4_999;
    expect(await scene.ask('GET', path, everyType)).toMatchObject({ status: 200, cache: 'hit' });
    expect(scene.upstream.asked()).toEqual([]);
    scene.upstream.expected = allows(0.9);
    await scene.ask('GET', path, everyType);
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`]);
  });

  it('is not asked about known tags when hardly any is left, and the answer says so', async () => {
    const scene = serving({ tagTtl: 1_000 });
    await scene.ask('GET', path, everyType);
    scene.upstream.asked();
    scene.upstream.expected = allows(0.02);
    scene.services.clock.now += 60_000;
    const answer = await scene.answer('GET', path, everyType);
    expect(answer).toMatchObject({ status: 200, cache: 'stale', staleReason: 'rate-limit' });
    expect(answer.headers).toContainEqual(['Warning', expect.stringContaining('hardly any more requests')]);
    expect(scene.upstream.asked()).toEqual([]);
  });

  it('is asked all the same about what is unknown, private, or older than allowed', async () => {
    const scene = serving({ tagTtl: 1_000, freshness: { staleFor: 10_000 } });
    await scene.ask('GET', path, alice);
    scene.upstream.asked();
    scene.upstream.expected = allows(0);
    scene.services.clock.now += 5_000;
    await scene.ask('GET', path, bob);
    await scene.ask('GET', '/v2/team/app/manifests/other', alice);
    scene.services.clock.now += 60_000;
    await scene.ask('GET', path, alice);
    expect(scene.upstream.asked()).toEqual([`HEAD ${path}`, 'GET /v2/team/app/manifests/other', `HEAD ${path}`]);
  });
});
