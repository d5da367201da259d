import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromCache } from '../e2e/answers.ts';
import { firstError } from '../e2e/registry-errors.ts';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { type SampleImage, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('oci-amd64');
const index = sampleImage('index');
const alice = { Authorization: 'Basic YWxpY2U6c2VjcmV0' };
const bob = { Authorization: 'Basic Ym9iOnNlY3JldA==' };

/** Pulls an image whole, so that the cache has it. */
async function pull(server: { url: string }, repository: string, its: SampleImage, headers = {}): Promise<void> {
  for (const child of its.children) await pull(server, repository, child, headers);
  const target = `/v2/${repository}/manifests/${its.digest}`;
  await exchange(server.url, { target, headers: { ...headers, Accept: its.mediaType } });
  for (const { digest } of its.blobs)
    await fromCache(() => exchange(server.url, { target: `/v2/${repository}/blobs/${digest}`, headers }));
}

/** Pushes nothing but the manifest. */
function put(server: { url: string }, repository: string, its: SampleImage, headers = {}) {
  const target = `/v2/${repository}/manifests/1`;
  return exchange(server.url, {
    method: 'PUT',
    target,
    headers: { ...headers, 'Content-Type': its.mediaType },
    body: its.bytes,
  });
}

describe('manifest-blob-unknown', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    const config = { upstreams: { registry: { url: injector.url } }, fixes: { 'manifest-blob-unknown': 'on' } };
    manifix = await startManifix({ config });
    injector.content.addImage('p-source', '1', image);
    injector.content.addImage('p-source', 'all', index);
    injector.content.addImage('p-private', '1', image);
    await pull(manifix, 'p-source', image);
    await pull(manifix, 'p-source', index);
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const isWhole = (repository: string, its: SampleImage): boolean =>
    injector.content.manifest(repository, its.digest)?.manifest.bytes.equals(its.bytes) === true &&
    its.blobs.every(({ digest, bytes }) => injector.content.blob(repository, digest)?.equals(bytes)) &&
    its.children.every((child) => isWhole(repository, child));

  it.each([
    ['mounted', 'p-mounts', image],
    ['pushed from the cache where a mount is refused', 'p-mount403/app', image],
    ['of the children of an index, with these', 'p-mounts/index', index],
    ['of the children of an index, pushed', 'p-mount405/index', index],
  ])('fills in parts: %s', async (_, repository, its) => {
    const direct = await put(injector, `${repository}-direct`, its);
    expect([direct.status, firstError(direct.body).code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    const answer = await put(manifix, repository, its);
    expect([answer.status, answer.header('Manifix-Fixes')]).toEqual([
      201,
      expect.stringContaining('manifest-blob-unknown'),
    ]);
    expect(isWhole(repository, its)).toBe(true);
  });

  it('gives nobody what he may not read', async () => {
    await using own = await startManifix({
      config: { upstreams: { registry: { url: injector.url } }, fixes: { 'manifest-blob-unknown': 'on' } },
    });
    await pull(own, 'p-private', image, alice);
    const refused = await put(own, 'p-mount403/bob', image, bob);
    expect([refused.status, firstError(refused.body).explanation]).toEqual([
      404,
      expect.stringContaining('does not have'),
    ]);
    expect(injector.content.blob('p-mount403/bob', image.blobs[0]?.digest ?? '')).toBeUndefined();
    expect((await put(own, 'p-mount403/alice', image, alice)).status).toBe(201);
  });

  it('says what is missing when it cannot be had', async () => {
    const answer = await put(manifix, 'p-mounts/unknown', sampleImage('docker-amd64'));
    expect([answer.status, firstError(answer.body).explanation]).toEqual([
      404,
      expect.stringContaining('names config'),
    ]);
  });

  it('answers as the registry did when the parts cannot be brought', async () => {
    // Neither mounted nor opened: the repository takes manifests only.
    const answer = await put(manifix, 'p-mount-and-push403/app', image);
    expect([answer.status, firstError(answer.body).code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
  });

  it('is off unless chosen', async () => {
    await using plain = await startManifix({ upstream: injector.url });
    await pull(plain, 'p-source', image);
    expect((await put(plain, 'p-mounts/off', image)).status).toBe(404);
  });
});

describeWithTools('manifest-blob-unknown at docker-registry', ['docker-registry'], () => {
  it('fills in an index with its children and blobs', async () => {
    await using registry = await startDockerRegistry();
    const config = { upstreams: { registry: { url: registry.url } }, fixes: { 'manifest-blob-unknown': 'on' } };
    await using manifix = await startManifix({ config });
    await pushImage(registry.url, 'source', '1', index);
    await pull(manifix, 'source', index);
    expect((await put(registry, 'target', index)).status).toBe(400);
    expect((await put(manifix, 'target', index)).status).toBe(201);
    for (const its of [index, ...index.children]) {
      const target = `/v2/target/manifests/${its.digest}`;
      const stored = await exchange(registry.url, { target, headers: { Accept: its.mediaType } });
      expect([stored.status, stored.body]).toEqual([200, its.bytes]);
    }
  });
});
