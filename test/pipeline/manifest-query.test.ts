import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';

const image = sampleImage('oci-amd64');
const other = sampleImage('docker-amd64');
const path = '/v2/team/app/manifests/latest';
const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** Serves one image to this query and refuses, or serves another image, to requests without one. */
function selecting(query: string, otherwise: typeof other | undefined): Scene {
  const scene = createScene();
  const { upstream } = scene;
  const served = ({ digest, bytes, mediaType }: typeof image) => ({
    status: 200,
    headers: registryHeaders(digest, bytes, mediaType),
    body: bytes,
  });
  const refused = errorAnswer(401, 'UNAUTHORIZED');
  for (const [target, found] of [
    [path, otherwise],
    [`/v2/team/app/manifests/${image.digest}`, otherwise],
  ] as const) {
    upstream.on('GET HEAD', `${target}?${query}`, served(image));
    upstream.on('GET HEAD', target, found === undefined ? refused : served(found));
  }
  return scene;
}

describe('a manifest that a token in the query opened', () => {
  it.each([path, `/v2/team/app/manifests/${image.digest}`])('stays closed to those without it: %s', async (target) => {
    const { ask, upstream } = selecting('token=secret', undefined);
    expect(await ask('GET', `${target}?token=secret`, everyType)).toMatchObject({ status: 200, body: image.bytes });
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 401 });
    upstream.down = true;
    expect(await ask('GET', target, everyType)).toMatchObject({ status: 502 });
    expect(await ask('GET', `/v2/team/app/manifests/${image.digest}`, everyType)).toMatchObject({ status: 502 });
  });
});

describe('what a tag means', () => {
  it.each(['platform=arm64', 'platform=arm64&x=1', 'x'])(
    'to a request with the query %s is not taken for what it means to others',
    async (query) => {
      const { ask } = selecting(query, other);
      for (const round of [1, 2]) {
        expect((await ask('GET', `${path}?${query}`, everyType)).body, `${round}`).toEqual(image.bytes);
        expect((await ask('GET', path, everyType)).body, `${round}`).toEqual(other.bytes);
      }
    },
  );
});
