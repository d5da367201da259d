import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Containerd, startContainerd } from '../support/clients/containerd.ts';
import { type ContainersHome, openContainersHome } from '../support/clients/containers.ts';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sampleNames, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

const accept = { Accept: manifestTypes.join(', ') };
const original = sampleImage('index-nomt');
const derivedBytes = Buffer.from(original.bytes.toString().replace('{', `{"mediaType":"${mediaTypes.ociIndex}",`));
const derived = sha256(derivedBytes);

describeWithTools('pushes through manifix in front of docker-registry', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  let engines: Engines;

  beforeAll(async () => {
    engines = startEngines();
    registry = await startDockerRegistry();
    await pushSamples(registry.url, 'team/samples');
    manifix = await startManifix({ upstream: registry.url });
  });
  afterAll(() => Promise.all([engines.stop(), manifix.stop(), registry.stop()]));

  /** Reads a manifest and all it refers to from the registry itself. Gives the digests, of which each was checked. */
  async function readWhole(repository: string, reference: string): Promise<string[]> {
    const answer = await exchange(registry.url, {
      target: `/v2/${repository}/manifests/${reference}`,
      headers: accept,
    });
    expect(answer.status, `${repository} ${reference}`).toBe(200);
    const digest = sha256(answer.body);
    expect(digest).toBe(answer.header('Docker-Content-Digest'));
    const { manifests = [], config, layers = [] } = JSON.parse(answer.body.toString());
    const digests: string[] = [digest];
    for (const child of manifests) digests.push(...(await readWhole(repository, child.digest)));
    for (const blob of config === undefined ? layers : [config, ...layers]) {
      const content = await exchange(registry.url, { target: `/v2/${repository}/blobs/${blob.digest}` });
      expect([content.status, sha256(content.body)]).toEqual([200, blob.digest]);
      digests.push(blob.digest);
    }
    return digests;
  }

  describe.each(imageClients)('by $name', (kind) => {
    describeWithTools('on this machine', kind.tools, () => {
      it.each(sampleNames)('bring %s to the registry whole', async (name) => {
        const client = await engines.of(kind);
        const pulled = `${manifix.host}/team/samples:${name}`;
        const repository = `pushed/by-${kind.name}`;
        const pull = await client.pull(pulled);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const push = await client.push(pulled, `${manifix.host}/${repository}:${name}`);
        expect(push, push.stderr).toMatchObject({ code: 0 });
        // At least a manifest, a configuration and a layer.
        expect((await readWhole(repository, name)).length).toBeGreaterThanOrEqual(3);
      });
    });
  });

  describeWithTools('by containerd, of what manifix derived', ['containerd', 'ctr'], () => {
    let containerd: Containerd;

    beforeAll(async () => {
      containerd = await startContainerd();
    });
    afterAll(() => containerd.stop());

    it.each(['team/other', 'team/samples'])(
      'bring it to %s of the registry, with all its children',
      async (repository) => {
        const pulled = `${manifix.host}/team/samples:index-nomt`;
        const destination = `${manifix.host}/${repository}:derived`;
        expect(await containerd.pull(pulled)).toMatchObject({ code: 0 });
        expect((await containerd.images()).find(({ name }) => name === pulled)?.digest).toBe(derived);
        const push = await containerd.push(destination, pulled);
        expect(push, push.stderr).toMatchObject({ code: 0 });
        const stored = await exchange(registry.url, {
          target: `/v2/${repository}/manifests/${derived}`,
          headers: accept,
        });
        expect([stored.status, stored.body]).toEqual([200, derivedBytes]);
        expect((await readWhole(repository, 'derived'))[0]).toBe(derived);
      },
    );
  });

  describeWithTools('by buildah, of what it built', ['buildah'], () => {
    let home: ContainersHome;

    beforeAll(async () => {
      home = await openContainersHome();
      for (const architecture of ['amd64', 'arm64']) {
        const container = (await buildah('from', '--arch', architecture, 'scratch')).trim();
        await buildah('copy', container, `${home.directory}/auth.json`, '/file');
        await buildah('config', '--arch', architecture, '--label', `of=${architecture}`, container);
        await buildah('commit', '--format', 'oci', container, `built-${architecture}`);
      }
      await buildah('manifest', 'create', 'built', 'built-amd64', 'built-arm64');
    });
    afterAll(() => home.stop());

    async function buildah(...args: string[]): Promise<string> {
      const result = await home.buildah(...args);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      return result.stdout;
    }

    it.each([
      ['oci', mediaTypes.ociIndex],
      ['v2s2', mediaTypes.dockerList],
    ])('bring a multi-platform image in format %s, which every tool can pull by tag', async (format, type) => {
      const destination = `${manifix.host}/built/${format}:1`;
      await buildah(
        'manifest',
        'push',
        '--all',
        '--format',
        format,
        '--tls-verify=false',
        'built',
        `docker://${destination}`,
      );
      const digests = await readWhole(`built/${format}`, '1');
      expect(digests.length).toBe(1 + 2 * 3);
      const answer = await exchange(manifix.url, { target: `/v2/built/${format}/manifests/1` });
      expect(JSON.parse(answer.body.toString()).mediaType).toBe(type);
      expect(answer.header('Content-Type')).toBe(type);
    });
  });
});
