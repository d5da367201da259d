import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { mediaTypes } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { essenceWithTag } from './answers.ts';
import { accept, askForManifest, derived, derivedBytes, expectDerived, image } from './derived-index.ts';

describeWithTools('a manifest that manifix derived', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'team/app', 'latest', image);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  it('is announced alike by HEAD, which may come first, and GET', async () => {
    const head = await askForManifest(manifix.url, 'latest', 'HEAD');
    const got = await askForManifest(manifix.url, 'latest');
    expect(essenceWithTag(head)).toEqual({ ...essenceWithTag(got), body: '' });
    await expectDerived(manifix.url, 'latest');
    for (const answer of [head, got]) {
      expect(answer.header('Manifix-Original-Digest')).toBe(image.digest);
      expect(answer.header('Warning')).toBe(`299 - "manifix added mediaType; original digest ${image.digest}"`);
      expect(answer.header('Vary')).toBe('Accept');
      for (const name of [
        'Content-MD5',
        'Digest',
        'Repr-Digest',
        'Content-Encoding',
        'Accept-Ranges',
        'Last-Modified',
      ]) {
        expect(answer.header(name), name).toBeUndefined();
      }
    }
  });

  it('is served by its digest, which the registry does not have', async () => {
    expect(
      (await exchange(registry.url, { target: `/v2/team/app/manifests/${derived}`, headers: accept })).status,
    ).toBe(404);
    await expectDerived(manifix.url, derived);
  });

  it('leaves its original and all children byte-exact by digest', async () => {
    for (const { digest, bytes } of [image, ...image.children]) {
      const answer = await askForManifest(manifix.url, digest);
      expect(answer.body).toEqual(bytes);
      expect(answer.header('Docker-Content-Digest')).toBe(digest);
    }
  });

  it('is no blob', async () => {
    for (const method of ['HEAD', 'GET']) {
      const answer = await exchange(manifix.url, { method, target: `/v2/team/app/blobs/${derived}` });
      expect(answer.status).toBe(404);
    }
  });

  it('exists only in the repository that it was derived in', async () => {
    const answer = await exchange(manifix.url, { target: `/v2/other/app/manifests/${derived}`, headers: accept });
    expect(answer.status).toBe(404);
  });

  it('is the same in every repository and after every push of the original', async () => {
    await pushImage(registry.url, 'team/copy', 'v2', image);
    const answer = await exchange(manifix.url, { target: '/v2/team/copy/manifests/v2', headers: accept });
    expect(answer.header('Docker-Content-Digest')).toBe(derived);
  });

  it.each(['latest', derived])('answers conditional requests for %s by its own digest', async (reference) => {
    for (const tag of [`"${derived}"`, derived, `W/"${derived}"`, `"x", "${derived}"`, '*']) {
      const answer = await askForManifest(manifix.url, reference, 'GET', { 'If-None-Match': tag });
      expect([answer.status, answer.body.length, answer.header('ETag')], tag).toEqual([304, 0, `"${derived}"`]);
    }
    const original = await askForManifest(manifix.url, reference, 'GET', { 'If-None-Match': `"${image.digest}"` });
    expect(original.status).toBe(200);
  });

  it('serves a range by digest', async () => {
    const answer = await askForManifest(manifix.url, derived, 'GET', { Range: 'bytes=1-11' });
    expect([answer.status, answer.body.toString()]).toEqual([206, '"mediaType"']);
    expect(answer.header('Content-Range')).toBe(`bytes 1-11/${derivedBytes.length}`);
  });

  it('is pushed to the registry when an index is pushed that lists it', async () => {
    const listing = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{ mediaType: mediaTypes.ociIndex, digest: derived, size: derivedBytes.length }],
      }),
    );
    const put = (url: string) =>
      exchange(url, {
        method: 'PUT',
        target: '/v2/team/app/manifests/listing',
        headers: { 'Content-Type': mediaTypes.ociIndex },
        body: listing,
      });
    expect((await put(registry.url)).status).toBe(400);
    expect((await put(manifix.url)).status).toBe(201);
    const stored = await exchange(registry.url, { target: `/v2/team/app/manifests/${derived}`, headers: accept });
    expect(stored.body).toEqual(derivedBytes);
  });

  it('is not made when the fix is off', async () => {
    const env = { MANIFIX_FIXES_INDEX_WITHOUT_MEDIATYPE: 'off' };
    await using plain = await startManifix({ upstream: registry.url, env });
    const answer = await exchange(plain.url, { target: '/v2/team/app/manifests/latest', headers: accept });
    expect(answer.body).toEqual(image.bytes);
    expect(answer.header('Docker-Content-Digest')).toBe(image.digest);
  });
});
