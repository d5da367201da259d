import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { barrier } from '../support/deadline.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

const image = sampleImage('oci-amd64');
const byTag = '/v2/team/app/manifests/latest';
const byDigest = `/v2/team/app/manifests/${image.digest}`;
const layer = Buffer.from('a layer');
const blob = `/v2/team/app/blobs/${digestOf(layer)}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];
const alice: HeaderList = [...everyType, ['Authorization', 'Basic YTph']];
const bob: HeaderList = [...everyType, ['Authorization', 'Basic Yjpi']];
const FAILING = { ask: false, patience: 0 };

/** A store with an image and a layer that everybody could read; nobody has a grant any more. */
async function cached(): Promise<Scene> {
  const scene = createScene({ tagTtl: 0 });
  scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
  await scene.ask('GET', byTag, everyType);
  scene.services.blobs.put(layer);
  scene.services.facts.putLink('registry', repositoryName('team/app'), 'blob', digest(digestOf(layer)), 'open');
  scene.services.grants.clear();
  scene.upstream.asked();
  return scene;
}

describe('F12: a registry that is known to fail', () => {
  it.each([
    ['a tag', byTag],
    ['a digest', byDigest],
    ['a blob', blob],
  ])('is not asked for %s that is open and here', async (_, target) => {
    const { ask, upstream } = await cached();
    upstream.expected = FAILING;
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 200 });
    expect(await ask('HEAD', target, everyType)).toMatchObject({ status: 200 });
    expect(upstream.asked()).toEqual([]);
  });

  it('is asked for what is not here, and for what is not open to this caller', async () => {
    const { ask, upstream } = await cached();
    upstream.expected = FAILING;
    await ask('GET', '/v2/team/app/manifests/other', everyType);
    expect(upstream.asked()).toEqual(['GET /v2/team/app/manifests/other']);
    const limit = errorAnswer(429, 'TOOMANYREQUESTS', 'slow down', [['Retry-After', '7']]);
    upstream.on('GET', '/v2/team/app/manifests/limited', limit);
    const answer = await ask('GET', '/v2/team/app/manifests/limited', everyType);
    expect(answer).toMatchObject({ status: 429 });
    expect(answer.header('Retry-After')).toBe('7');
  });

  it('opens private content to nobody', async () => {
    const scene = createScene({ tagTtl: 0 });
    scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
    await scene.ask('GET', byTag, alice);
    scene.upstream.expected = FAILING;
    scene.upstream.down = true;
    expect(await scene.ask('GET', byTag, bob)).toMatchObject({ status: 502 });
    expect(await scene.ask('GET', byDigest, everyType)).toMatchObject({ status: 502 });
    expect(await scene.ask('GET', byTag, alice)).toMatchObject({ status: 200, cache: 'stale' });
  });
});

describe('F13: a registry that limits requests', () => {
  const limit = errorAnswer(429, 'TOOMANYREQUESTS', 'slow down', [['Retry-After', '1']]);

  it.each([
    ['a tag', byTag],
    ['a digest', byDigest],
    ['a blob', blob],
  ])('is not waited for when %s is open and here', async (_, target) => {
    const { ask, upstream } = await cached();
    upstream.on('GET HEAD', target, limit);
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 200 });
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'HEAD', throttled: 'pass' });
  });

  it('is waited for, as far as clients bear it, by who may not read what is here, and for what is not', async () => {
    const { ask, upstream, services } = await cached();
    services.facts.putLink('registry', repositoryName('team/app'), 'manifest', digest(image.digest), 'private');
    for (const target of [byTag, byDigest, '/v2/team/app/manifests/other']) {
      await ask('GET', target, bob);
      expect(upstream.requests.at(-1)).toMatchObject({ throttled: 'wait' });
    }
  });

  it('is not waited for while it did not answer otherwise', async () => {
    const { answer, upstream } = await cached();
    const gate = barrier();
    upstream.on('HEAD', byTag, async () => {
      await gate.passed;
      return limit;
    });
    upstream.expected = { ask: true, patience: 0 };
    expect(await answer('GET', byTag, everyType)).toMatchObject({ status: 200, staleReason: 'registry-unavailable' });
    gate.release();
  });
});

describe('a registry that takes its time', () => {
  it.each([
    ['a tag', byTag],
    ['a digest', byDigest],
    ['a blob', blob],
  ])('is not waited for when %s is open and here', async (_, target) => {
    const { ask, upstream } = await cached();
    const gate = barrier();
    upstream.on('HEAD', target, async () => {
      await gate.passed;
      return { status: 200, headers: registryHeaders(image.digest, image.bytes, image.mediaType) };
    });
    upstream.expected = { ask: true, patience: 1 };
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 200 });
    expect(upstream.asked()).toEqual([`HEAD ${target}`]);
    gate.release();
  });

  it('is waited for by who may not read what is here', async () => {
    const { ask, upstream, services } = await cached();
    services.facts.putLink('registry', repositoryName('team/app'), 'manifest', digest(image.digest), 'private');
    const gate = barrier();
    upstream.on('HEAD GET', byTag, async () => {
      await gate.passed;
      return errorAnswer(401, 'UNAUTHORIZED');
    });
    upstream.expected = { ask: true, patience: 1 };
    const answer = ask('GET', byTag, bob);
    gate.release();
    expect(await answer).toMatchObject({ status: 401 });
  });

  it('says so in the answer', async () => {
    const { answer, upstream } = await cached();
    const gate = barrier();
    upstream.on('HEAD', byTag, async () => {
      await gate.passed;
      return { status: 200 };
    });
    upstream.expected = { ask: true, patience: 1 };
    const { cache, staleReason, headers } = await answer('GET', byTag, everyType);
    expect({ cache, staleReason }).toEqual({ cache: 'stale', staleReason: 'registry-slow' });
    expect(headers.filter(([name]) => name === 'Warning')).toEqual([
      ['Warning', '299 - "manifix: the registry takes its time; this is the last known content"'],
    ]);
    gate.release();
  });
});
