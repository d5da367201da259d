import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { documentedFile } from '../support/documented-files.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, type SampleImage, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

const shown = '127.0.0.1:5000';
const official = sampleImage('list');
const hubs = sampleImage('docker-amd64');
const ghcrs = sampleImage('index');

describeWithTools('one manifix in front of several registries', ['docker-registry'], () => {
  let hub: DockerRegistry;
  let ghcr: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    [hub, ghcr] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
    await pushImage(hub.url, 'library/app', '1', official);
    await pushImage(hub.url, 'team/app', '1', hubs);
    await pushImage(ghcr.url, 'team/app', '1', ghcrs);
    const registries = { 'https://registry-1.docker.io': hub.url, 'https://ghcr.io': ghcr.url };
    manifix = await startManifix({ config: parse(documentedFile('config.yaml', registries)) });
  });
  afterAll(() => Promise.all([manifix.stop(), hub.stop(), ghcr.stop()]));

  /** The digest of an image as the registry itself has it. */
  async function storedDigest(registry: DockerRegistry, repository: string): Promise<string | undefined> {
    const headers = { Accept: manifestTypes.join(', ') };
    const answer = await exchange(registry.url, { method: 'HEAD', target: `/v2/${repository}/manifests/1`, headers });
    return answer.status === 200 ? answer.header('Docker-Content-Digest') : undefined;
  }

  /** The statuses of requests that opened uploads in a repository, once its tag is pushed: 201 is a mount, 202 a session. */
  async function openedUploads(repository: string): Promise<number[]> {
    await manifix.outputMatches(new RegExp(`"method":"PUT","path":"/v2/${repository}/manifests/1".*\n`));
    const lines = manifix
      .output()
      .split('\n')
      .filter((line) => line.includes(`"path":"/v2/${repository}/blobs/uploads/"`));
    return lines.map((line) => JSON.parse(line).status);
  }

  describeWithTools('by containerd with the documented hosts.toml', ['containerd', 'ctr'], () => {
    it('gives each registry its own image of the same name', async () => {
      const addresses = { [shown]: manifix.host };
      const hosts = {
        'docker.io': documentedFile('/etc/containerd/certs.d/docker.io/hosts.toml', addresses),
        _default: documentedFile('/etc/containerd/certs.d/_default/hosts.toml', addresses),
      };
      await using containerd = await startContainerd({ hosts });
      for (const reference of ['docker.io/library/app:1', 'docker.io/team/app:1', 'ghcr.io/team/app:1']) {
        const pull = await containerd.pull(reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
      }
      const images = await containerd.images();
      expect(Object.fromEntries(images.map(({ name, digest }) => [name, digest]))).toEqual({
        'docker.io/library/app:1': official.digest,
        'docker.io/team/app:1': hubs.digest,
        'ghcr.io/team/app:1': ghcrs.digest,
      });
    });

    it('leaves a registry that no endpoint stands for to itself', async () => {
      const hosts = {
        'other.invalid': `server = "${ghcr.url}"\n[host."${manifix.url}"]\n`,
      };
      await using containerd = await startContainerd({ hosts });
      const pull = await containerd.pull('other.invalid/team/app:1');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      // Not the image that the default endpoint has under this name.
      expect(await containerd.images()).toMatchObject([{ digest: ghcrs.digest }]);
    });
  });

  describeWithTools('by podman and skopeo with the documented registries.conf', ['podman', 'skopeo'], () => {
    it('gives each registry its own image of the same name', async () => {
      const registriesConf = documentedFile('/etc/containers/registries.conf', { [shown]: manifix.host });
      await using home = await openContainersHome({ registriesConf });
      const digests: string[] = [];
      for (const reference of ['docker.io/library/app:1', 'docker.io/team/app:1', 'ghcr.io/team/app:1']) {
        const pull = await home.podman('pull', reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const inspected = await home.skopeo('inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${reference}`);
        digests.push(inspected.stdout.trim());
      }
      expect(digests).toEqual([official.digest, hubs.digest, ghcrs.digest]);
    });

    it('lists tags under the name that was asked for', async () => {
      await using home = await openContainersHome();
      const listed = await home.skopeo('list-tags', '--tls-verify=false', `docker://${manifix.host}/ghcr.io/team/app`);
      expect(JSON.parse(listed.stdout)).toEqual({ Repository: `${manifix.host}/ghcr.io/team/app`, Tags: ['1'] });
    });
  });

  describeWithTools('by dockerd with the documented registry-mirrors', ['dockerd', 'docker', 'containerd'], () => {
    it('serves the Docker Hub, with official images by either name', async () => {
      const settings = JSON.parse(documentedFile('/etc/docker/daemon.json', { [shown]: manifix.host }));
      const registryMirrors: readonly string[] = settings['registry-mirrors'];
      await using engine = await startDockerd({ registryMirrors });
      for (const [reference, { digest }] of [
        ['app:1', official],
        ['team/app:1', hubs],
        [`${manifix.host}/app:1`, official],
      ] as const satisfies readonly (readonly [string, SampleImage])[]) {
        const pull = await engine.docker('pull', reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(digest) });
      }
    });
  });

  describe.each(imageClients)('by $name', (kind) => {
    describeWithTools('through a prefix', kind.tools, () => {
      it('pulls and pushes the images of the registry behind it', async () => {
        await using client = await kind.start();
        const pulled = `${manifix.host}/ghcr.io/team/app:1`;
        const pull = await client.pull(pulled);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const repository = `pushed/by-${kind.name}`;
        const push = await client.push(pulled, `${manifix.host}/ghcr.io/${repository}:1`);
        expect(push, push.stderr).toMatchObject({ code: 0 });
        expect(await storedDigest(ghcr, repository)).toMatch(/^sha256:/);
        expect(await storedDigest(hub, repository)).toBeUndefined();
      });
    });
  });

  describeWithTools('by clients that mount', ['containerd', 'ctr', 'skopeo'], () => {
    it('mounts within an endpoint, and uploads what comes from another', async () => {
      await using containerd = await startContainerd();
      const pulled = `${manifix.host}/ghcr.io/team/app:1`;
      await containerd.pull(pulled);
      for (const repository of ['ghcr.io/mounted/app', 'mounted/app']) {
        const push = await containerd.push(`${manifix.host}/${repository}:1`, pulled);
        expect(push, push.stderr).toMatchObject({ code: 0 });
      }
      expect(await storedDigest(ghcr, 'mounted/app')).toBe(ghcrs.digest);
      expect(await storedDigest(hub, 'mounted/app')).toBe(ghcrs.digest);
      expect(new Set(await openedUploads('ghcr.io/mounted/app'))).toEqual(new Set([201]));
      expect(new Set(await openedUploads('mounted/app'))).toEqual(new Set([202]));
    });

    it('copies layers from one repository of a prefix to another without an upload', async () => {
      await using home = await openContainersHome();
      const flags = ['--all', '--src-tls-verify=false', '--dest-tls-verify=false'];
      const [source, destination] = ['team/app', 'copied/app'].map(
        (name) => `docker://${manifix.host}/ghcr.io/${name}:1`,
      );
      const copy = await home.skopeo('copy', ...flags, `${source}`, `${destination}`);
      expect(copy, copy.stderr).toMatchObject({ code: 0 });
      expect(await storedDigest(ghcr, 'copied/app')).toBe(ghcrs.digest);
      // skopeo uploads configurations.
      expect(await openedUploads('ghcr.io/copied/app')).toContain(201);
    });
  });
});
