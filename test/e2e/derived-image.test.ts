import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { essenceWithTag } from './answers.ts';
import { firstError } from './registry-errors.ts';

const accept = { Accept: manifestTypes.join(', ') };
const image = sampleImage('ocinomt-amd64');
const derivedBytes = Buffer.from(image.bytes.toString().replace('{', `{"mediaType":"${mediaTypes.ociManifest}",`));
const derived = sha256(derivedBytes);

describeWithTools('manifest-without-mediatype at a real registry', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const env = { MANIFIX_FIXES_MANIFEST_WITHOUT_MEDIATYPE: 'on' };
    manifix = await startManifix({ upstream: registry.url, env });
    await pushImage(registry.url, 'team/app', '1', image);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const ask = (server: { url: string }, reference: string, method = 'GET'): Promise<HttpAnswer> =>
    exchange(server.url, { method, target: `/v2/team/app/manifests/${reference}`, headers: accept });

  it('gives the image its mediaType by tag, alike for HEAD and GET, and keeps it under its own digest', async () => {
    expect((await ask(registry, '1')).body).toEqual(image.bytes);
    for (const reference of ['1', derived]) {
      const [head, got] = [await ask(manifix, reference, 'HEAD'), await ask(manifix, reference)];
      expect(essenceWithTag(head)).toEqual({ ...essenceWithTag(got), body: '' });
      expect([got.status, got.body, got.header('Docker-Content-Digest')]).toEqual([200, derivedBytes, derived]);
      expect(got.header('Manifix-Original-Digest')).toBe(image.digest);
      expect(got.header('Warning')).toContain(image.digest);
    }
    expect((await ask(registry, derived)).status).toBe(404);
  });

  it('outlives kill -9', async () => {
    await ask(manifix, '1', 'HEAD');
    await manifix.kill9();
    await manifix.restart();
    expect((await ask(manifix, derived)).body).toEqual(derivedBytes);
  });

  it('leaves the image alone by digest, as the child of an index, and where it has a mediaType', async () => {
    expect((await ask(manifix, image.digest)).body).toEqual(image.bytes);
    const listing = sampleImage('index');
    await pushImage(registry.url, 'team/app', 'listing', listing);
    for (const { bytes, digest } of [listing, ...listing.children])
      expect((await ask(manifix, digest)).body).toEqual(bytes);
    const healthy = sampleImage('oci-amd64');
    await pushImage(registry.url, 'team/app', 'healthy', healthy);
    expect((await ask(manifix, 'healthy')).body).toEqual(healthy.bytes);
  });

  it('leaves a signed image alone', async () => {
    await pushImage(registry.url, 'team/signed', '1', image);
    await pushImage(registry.url, 'team/signed', `${image.digest.replace(':', '-')}.sig`, sampleImage('oci-amd64'));
    const answer = await exchange(manifix.url, { target: '/v2/team/signed/manifests/1', headers: accept });
    expect([answer.body, answer.header('Warning')]).toEqual([image.bytes, undefined]);
  });

  it('is not done when the fix is off, as it is by default', async () => {
    await using plain = await startManifix({ upstream: registry.url });
    expect((await ask(plain, '1')).body).toEqual(image.bytes);
  });

  it('explains a DELETE of the derived digest, or deletes the original where the operator chose so', async () => {
    await pushImage(registry.url, 'team/old', '1', image);
    const remove = async (server: { url: string }) => {
      await exchange(server.url, { target: '/v2/team/old/manifests/1', headers: accept });
      return exchange(server.url, { method: 'DELETE', target: `/v2/team/old/manifests/${derived}` });
    };
    const explained = await remove(manifix);
    expect([explained.status, firstError(explained.body).detail]).toEqual([
      404,
      expect.objectContaining({
        original: image.digest,
        manifix: expect.stringMatching(/ See docs\/fixes\/manifest-without-mediatype\.md\.$/),
      }),
    ]);
    const env = {
      MANIFIX_FIXES_MANIFEST_WITHOUT_MEDIATYPE_MODE: 'on',
      MANIFIX_FIXES_MANIFEST_WITHOUT_MEDIATYPE_DELETE: 'original',
    };
    await using mapping = await startManifix({ upstream: registry.url, env });
    expect((await remove(mapping)).status).toBe(202);
    const target = `/v2/team/old/manifests/${image.digest}`;
    expect((await exchange(registry.url, { target, headers: accept })).status).toBe(404);
  });
});
