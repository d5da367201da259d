import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ContainersHome, openContainersHome } from '../support/clients/containers.ts';
import { type Dockerd, startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

/** user, secret */
const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const credentials = { Authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };

describeWithTools('a registry with passwords behind manifix', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd });
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'private/app', 'latest', sampleImage('list'), credentials);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  const isStored = async (repository: string) =>
    (await exchange(registry.url, { target: `/v2/${repository}/tags/list`, headers: credentials })).status === 200;

  describeWithTools('and docker', ['dockerd', 'docker', 'containerd'], () => {
    let engine: Dockerd;

    beforeAll(async () => {
      engine = await startDockerd();
    });
    afterAll(() => engine.stop());

    it('pulls and pushes after docker login, and not before', async () => {
      const image = `${manifix.host}/private/app:latest`;
      const refused = await engine.docker('pull', image);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no basic auth credentials')]);
      const wrong = await engine.docker('login', '--username', 'user', '--password', 'guessed', manifix.host);
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('401 Unauthorized')]);
      const login = await engine.docker('login', '--username', 'user', '--password', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
      expect(await engine.docker('pull', image)).toMatchObject({ code: 0 });
      const destination = `${manifix.host}/private/docker:1`;
      await engine.docker('tag', image, destination);
      const push = await engine.docker('push', destination);
      expect(push, push.stderr).toMatchObject({ code: 0 });
      expect(await isStored('private/docker')).toBe(true);
    });
  });

  describeWithTools('and podman and skopeo', ['podman', 'skopeo'], () => {
    let home: ContainersHome;

    beforeAll(async () => {
      home = await openContainersHome();
    });
    afterAll(() => home.stop());

    it('pull and push after podman login, and not before', async () => {
      const source = `docker://${manifix.host}/private/app:latest`;
      const copy = () =>
        home.skopeo(
          ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
          ...[source, `docker://${manifix.host}/private/skopeo:1`],
        );
      const refused = await copy();
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('authentication required')]);
      const login = await home.podman('login', '--tls-verify=false', '-u', 'user', '-p', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      const copied = await copy();
      expect(copied, copied.stderr).toMatchObject({ code: 0 });
      expect(await isStored('private/skopeo')).toBe(true);
      expect(await home.podman('pull', '--tls-verify=false', source.slice('docker://'.length))).toMatchObject({
        code: 0,
      });
    });
  });
});
