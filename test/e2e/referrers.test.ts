import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../support/http.ts';
import { mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';

const image = sampleImage('oci-amd64');
const list = `/v2/team/app/referrers/${image.digest}`;
const alias = image.digest.replace(':', '-');

function artifact(artifactType: string): Buffer {
  const [config] = image.blobs;
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length };
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: config?.digest, size: config?.bytes.length };
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: empty,
    layers: [],
    subject,
  };
  return Buffer.from(JSON.stringify(document));
}

describe('referrers through the cache', () => {
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeEach(async () => {
    registry = await startRegistryDouble();
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(manifix.url, 'team/app', '1', image);
  });
  afterEach(() => Promise.all([manifix.stop(), registry.stop()]));

  async function push(reference: string, bytes: Buffer): Promise<void> {
    const target = `/v2/team/app/manifests/${reference}`;
    const headers = { 'Content-Type': mediaTypes.ociManifest };
    expect((await exchange(manifix.url, { method: 'PUT', target, headers, body: bytes })).status).toBe(201);
  }
  async function listed(query = ''): Promise<readonly string[]> {
    const { status, body } = await exchange(manifix.url, { target: list + query });
    expect(status).toBe(200);
    return JSON.parse(body.toString()).manifests.map(({ artifactType }: { artifactType: string }) => artifactType);
  }
  const questions = () => registry.requests.filter(({ path }) => path === list).length;

  it('are listed anew at once after a push or a delete through manifix, and otherwise from the cache', async () => {
    expect(await listed()).toEqual([]);
    for (const type of ['example/sbom', 'example/signature']) await push(sha256(artifact(type)), artifact(type));
    expect(await listed()).toEqual(['example/sbom', 'example/signature']);
    expect(await listed('?artifactType=example/sbom')).toEqual(['example/sbom']);
    const before = questions();
    expect(await listed()).toEqual(['example/sbom', 'example/signature']);
    expect(await listed('?artifactType=example/sbom')).toEqual(['example/sbom']);
    expect(questions()).toBe(before);
    const target = `/v2/team/app/manifests/${sha256(artifact('example/sbom'))}`;
    expect((await exchange(manifix.url, { method: 'DELETE', target })).status).toBe(202);
    expect(await listed()).toEqual(['example/signature']);
  });

  it('and signatures by tag are there while the registry is not', async () => {
    const tags = [alias, `${alias}.sig`, `${alias}.att`, `${alias}.sbom`];
    for (const tag of tags) await push(tag, artifact(`example/${tag.slice(-4)}`));
    const all = await listed();
    expect(all).toHaveLength(4);
    const pull = (tag: string) => exchange(manifix.url, { target: `/v2/team/app/manifests/${tag}` });
    for (const tag of tags) expect((await pull(tag)).status).toBe(200);
    await registry.stop();
    expect(await listed()).toEqual(all);
    for (const tag of tags) expect((await pull(tag)).status).toBe(200);
    expect((await pull('unknown')).status).toBe(502);
  });
});
