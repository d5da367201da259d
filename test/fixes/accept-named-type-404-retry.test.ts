import { describe, expect, it } from 'vitest';
import { headerValue } from '../../src/domain/headers.ts';
import { acceptNamedType404Retry, isRefusedForAccept } from '../../src/fixes/accept-named-type-404-retry.ts';
import { errorAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { manifestTypes, mediaTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';

const { id } = acceptNamedType404Retry;
const image = sampleImage('oci-amd64');
const path = '/v2/team/app/manifests/latest';
const naming = (...types: readonly string[]) => [['Accept', types.join(', ')] as const];
const headers = registryHeaders(image.digest, image.bytes, image.mediaType);
const hidden = errorAnswer(
  404,
  'MANIFEST_UNKNOWN',
  'OCI manifest found, but accept header does not support OCI manifests',
);

/** A registry that shows OCI manifests only to those who name them. */
function hiding({ upstream }: Scene, refusal = hidden): void {
  upstream.on('GET HEAD', path, (request) => {
    const named = headerValue(request.headers, 'Accept')?.includes(mediaTypes.ociManifest);
    return named ? { status: 200, headers, body: image.bytes } : refusal;
  });
}

describe(id, () => {
  it.each([
    [404, 'OCI index found, but accept header does not support OCI indexes', true],
    [406, 'Not Acceptable', true],
    [404, 'manifest unknown', false],
    [400, 'not acceptable', false],
  ])('takes %i "%s" for a refusal of the types: %s', (status, text, refused) => {
    expect(isRefusedForAccept(status, text)).toBe(refused);
  });

  it('asks once more for all types, whose own come first, and says so', async () => {
    const scene = createScene();
    hiding(scene);
    const answer = await scene.ask('GET', path, naming(mediaTypes.ociIndex));
    expect(answer).toMatchObject({ status: 200, body: image.bytes });
    expect(answer.fixes.map((fix) => fix.id)).toContain(id);
    const accepts = scene.upstream.requests.map((request) => headerValue(request.headers, 'Accept'));
    expect(accepts[0]).toBe(mediaTypes.ociIndex);
    expect(accepts[1]?.split(', ')).toEqual([
      mediaTypes.ociIndex,
      ...manifestTypes.filter((t) => t !== mediaTypes.ociIndex),
    ]);
    expect(scene.services.defects.proven('registry', id)).toEqual({});
  });

  it('asks HEAD again without a GET once the registry is known to hide', async () => {
    const scene = createScene({ tagTtl: 0 });
    hiding(scene);
    await scene.ask('GET', path, naming(mediaTypes.ociIndex));
    scene.upstream.asked();
    const head = await scene.ask('HEAD', path, naming(mediaTypes.ociIndex));
    expect([head.status, head.header('Docker-Content-Digest')]).toEqual([200, image.digest]);
  });

  it('understands 406 to a HEAD, which has no words', async () => {
    const scene = createScene();
    hiding(scene, errorAnswer(406, 'MANIFEST_INVALID', 'Not Acceptable'));
    expect(await scene.ask('HEAD', path, naming(mediaTypes.ociIndex))).toMatchObject({ status: 200 });
  });

  it('does not ask twice for what is not there, or for a client that named all types or none', async () => {
    const scene = createScene();
    await scene.ask('GET', path, naming(mediaTypes.ociIndex));
    expect(scene.upstream.asked()).toEqual([`GET ${path}`]);
    scene.upstream.on('GET HEAD', path, hidden);
    await scene.ask('GET', path, naming(...manifestTypes));
    expect(scene.upstream.asked()).toEqual([`GET ${path}`]);
  });

  it.each(['observe', 'off'] as const)('leaves the refusal as it is in mode %s', async (mode) => {
    const scene = createScene({ settings: { [id]: { mode, options: {} } } });
    hiding(scene);
    const answer = await scene.ask('GET', path, naming(mediaTypes.ociIndex));
    expect(answer.status).toBe(404);
    expect(answer.fixes.some((fix) => fix.id === id)).toBe(mode === 'observe');
  });
});
