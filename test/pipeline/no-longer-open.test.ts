import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { Tag } from '../../src/domain/reference.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, everybodysToken, type Scene } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';
import { digest as blobDigest, path as blobPath, bytes } from './some-blob.ts';

const repository = repositoryName('team/app');
const image = sampleImage('oci-amd64');
const byTag = '/v2/team/app/manifests/latest';
const byDigest = `/v2/team/app/manifests/${image.digest}`;
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** A store with content that callers without credentials once read; nobody has a grant any more. */
async function openContent(): Promise<Scene> {
  const scene = createScene({ tagTtl: 0 });
  const { blobs, facts, manifests } = scene.services;
  const headers = registryHeaders(image.digest, image.bytes, image.mediaType);
  await manifests.put({ digest: digest(image.digest), bytes: image.bytes, headers });
  blobs.put(bytes);
  facts.putTag('registry', repository, 'latest' as Tag, 'all', {
    digest: digest(image.digest),
    confirmedAt: scene.services.now(),
  });
  facts.putLink('registry', repository, 'manifest', digest(image.digest), 'open');
  facts.putLink('registry', repository, 'blob', blobDigest, 'open');
  return scene;
}

describe('content that everybody could read', () => {
  it.each([
    ['by tag', byTag, 401],
    ['by tag', byTag, 403],
    ['by tag', byTag, 404],
    ['by digest', byDigest, 401],
    ['by digest', byDigest, 404],
    ['a blob', blobPath, 401],
    ['a blob', blobPath, 404],
  ])('is served during an outage until the registry refused it to all: %s, %s, %i', async (_, target, status) => {
    const { ask, upstream } = await openContent();
    upstream.down = true;
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 200 });
    upstream.down = false;
    upstream.on('GET HEAD', target, errorAnswer(status, 'DENIED'));
    expect(await ask('GET', target, everyType)).toMatchObject({ status });
    upstream.down = true;
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 502 });
    expect(await ask('GET', target, [...everyType, ['Authorization', 'Basic eDp5']])).toMatchObject({ status: 502 });
  });

  it.each([byTag, byDigest, blobPath])('stays open when the registry refuses bad credentials: %s', async (target) => {
    const { ask, upstream } = await openContent();
    upstream.on('GET HEAD', target, errorAnswer(401, 'UNAUTHORIZED'));
    const wrong: HeaderList = [...everyType, ['Authorization', 'Basic eDp5']];
    expect(await ask('GET', target, wrong)).toMatchObject({ status: 401 });
    upstream.down = true;
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 200 });
  });
});

describe('content that everybody could read with a token', () => {
  const challenge = [['WWW-Authenticate', 'Bearer realm="http://registry.test:5001/token"'] as const];
  const wantsToken = errorAnswer(401, 'UNAUTHORIZED', 'no', challenge);
  const withToken: HeaderList = [...everyType, everybodysToken];

  /** The token of everybody opens the repository; without one the registry asks for it. */
  async function openToTokens(): Promise<Scene> {
    const scene = await openContent();
    scene.upstream.serve('team/app', 'latest', image.bytes, image.mediaType);
    expect(await scene.ask('GET', byTag, withToken)).toMatchObject({ status: 200 });
    scene.services.grants.clear();
    scene.upstream.on('GET HEAD', byTag, wantsToken);
    return scene;
  }

  it('stays open when a caller comes without the token', async () => {
    const { ask, upstream } = await openToTokens();
    expect(await ask('GET', byTag, everyType)).toMatchObject({ status: 401 });
    upstream.down = true;
    expect(await ask('GET', byTag, everyType)).toMatchObject({ status: 200 });
    expect(await ask('GET', byTag, withToken)).toMatchObject({ status: 200 });
  });

  it('is closed when the token is refused', async () => {
    const { ask, upstream } = await openToTokens();
    expect(await ask('GET', byTag, withToken)).toMatchObject({ status: 401 });
    upstream.down = true;
    expect(await ask('GET', byTag, everyType)).toMatchObject({ status: 502 });
    expect(await ask('GET', byTag, withToken)).toMatchObject({ status: 502 });
  });

  it('is closed when the registry does not ask for a token, or nobody was let in with one for an hour', async () => {
    const refused = await openToTokens();
    refused.upstream.on('GET HEAD', byTag, errorAnswer(403, 'DENIED'));
    expect(await refused.ask('GET', byTag, everyType)).toMatchObject({ status: 403 });
    refused.upstream.down = true;
    expect(await refused.ask('GET', byTag, everyType)).toMatchObject({ status: 502 });

    const long = await openToTokens();
    long.services.clock.now += 60 * 60_000;
    expect(await long.ask('GET', byTag, everyType)).toMatchObject({ status: 401 });
    long.upstream.down = true;
    expect(await long.ask('GET', byTag, everyType)).toMatchObject({ status: 502 });
  });
});
