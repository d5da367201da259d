import { afterAll, beforeAll, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

describeWithTools('manifix as a mirror that engines are told of', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;
  const image = sampleImage('list');

  beforeAll(async () => {
    registry = await startDockerRegistry();
    manifix = await startManifix({ upstream: registry.url });
    await pushImage(registry.url, 'library/app', '1', image);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  describeWithTools('by containerd', ['containerd', 'ctr'], () => {
    it('serves images of another registry, whose name comes with every request', async () => {
      const hosts = { 'registry.test': `server = "http://127.0.0.1:1"\n[host."${manifix.url}"]\n` };
      await using containerd = await startContainerd({ hosts });
      const pull = await containerd.pull('registry.test/library/app:1');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      expect(await containerd.images()).toMatchObject([{ digest: image.digest }]);
      await manifix.outputMatches(/"userAgent":"containerd\//);
    });
  });

  describeWithTools('by dockerd', ['dockerd', 'docker', 'containerd'], () => {
    it('serves images of the Docker Hub', async () => {
      await using engine = await startDockerd({ registryMirrors: [manifix.url] });
      const pull = await engine.docker('pull', 'app:1');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      expect(pull.stdout).toContain(image.digest);
    });
  });
});
