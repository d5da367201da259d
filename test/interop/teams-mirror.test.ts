import { afterAll, beforeAll, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Example, startExample } from './teams.ts';

describeWithTools('an open mirror, as docs/teams.md has it', ['docker-registry'], () => {
  let hub: DockerRegistry;
  let example: Example;
  let host: string;

  beforeAll(async () => {
    hub = await startDockerRegistry();
    await pushImage(hub.url, 'library/alpine', 'latest', sampleImage('list'));
    example = await startExample('open-mirror', { addresses: { 'https://registry-1.docker.io': hub.url } });
    host = example.manifix.host;
  });
  afterAll(async () => {
    await example[Symbol.asyncDispose]();
    await hub.stop();
  });

  describeWithTools('serves docker', ['dockerd', 'docker', 'containerd'], () => {
    it('which has it as its mirror, and pushes nothing', async () => {
      await using engine = await startDockerd({ registryMirrors: [example.manifix.url] });
      const pulled = await engine.docker('pull', 'alpine');
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      await engine.docker('tag', 'alpine', `${host}/library/alpine:mine`);
      const pushed = await engine.docker('push', `${host}/library/alpine:mine`);
      expect([pushed.code, pushed.stderr]).toEqual([1, expect.stringContaining('read-only')]);
    });
  });

  describeWithTools('serves containerd', ['containerd', 'ctr'], () => {
    it('which asks it for docker.io', async () => {
      const hosts = `server = "http://${host}"\n[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`;
      await using containerd = await startContainerd({ hosts: { 'docker.io': hosts } });
      const pulled = await containerd.pull('docker.io/library/alpine:latest');
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('serves podman, buildah and skopeo', ['podman', 'buildah', 'skopeo'], () => {
    it('which pull by its name, and push nothing', async () => {
      await using home = await openContainersHome();
      for (const pull of [home.podman, home.buildah]) {
        const pulled = await pull('pull', '--tls-verify=false', `${host}/alpine`);
        expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      }
      const source = `docker://${host}/alpine`;
      const flags = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
      expect(await home.skopeo(...flags, source, `dir:${home.directory}/alpine`)).toMatchObject({ code: 0 });
      const pushed = await home.skopeo(...flags, source, `docker://${host}/library/mine:1`);
      expect([pushed.code, pushed.stderr]).toEqual([1, expect.stringContaining('read-only')]);
    });
  });

  it('slows down whoever asks without end, and says for how long', async () => {
    const ask = () => exchange(example.manifix.url, { target: '/v2/library/alpine/manifests/latest', method: 'HEAD' });
    // Three times what may come at once.
    const answers = await Promise.all(Array.from({ length: 600 }, ask));
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(refused.every((answer) => Number(answer.header('Retry-After')) >= 1)).toBe(true);
  });
});
