import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

const engineNames = ['containerd', 'podman', 'dockerd'];
const image = sampleImage('list');
const byTag = { target: '/v2/team/app/manifests/list', headers: { Accept: manifestTypes.join(', ') } };

describeWithTools('images that are cached', ['docker-registry', 'skopeo'], () => {
  describe.each([
    ['hangs', 'SIGSTOP', 'registry-slow'],
    ['is killed', 'SIGKILL', 'registry-unavailable'],
  ] as const)('while docker-registry %s', (_, signal, reason) => {
    let registry: DockerRegistry;
    let manifix: Manifix;
    let engines: Engines;

    beforeAll(async () => {
      engines = startEngines();
      registry = await startDockerRegistry();
      await pushSamples(registry.url, 'team/app');
      // Each request by tag has to ask the registry.
      const upstreams = { hub: { url: registry.url, timeouts: { revalidate: '500ms' } } };
      manifix = await startManifix({ config: { upstreams, cache: { tagTtl: '0s' } } });
      const [skopeo] = imageClients.filter(({ name }) => name === 'skopeo');
      const warmed = skopeo && (await (await engines.of(skopeo)).pull(`${manifix.host}/team/app:list`));
      expect(warmed, warmed?.stderr).toMatchObject({ code: 0 });
      registry.signal(signal);
    });
    afterAll(async () => {
      registry.signal('SIGCONT');
      await Promise.all([engines.stop(), manifix.stop(), registry.stop()]);
    });

    it('are told to be older than the question', async () => {
      const answer = await exchange(manifix.url, byTag);
      expect(answer.status).toBe(200);
      expect(answer.header('Cache-Status')).toContain(`fwd=stale; detail="${reason}"`);
      expect(answer.header('Warning')).toMatch(/^299 - "manifix: /);
    });

    describe.each(imageClients.filter(({ name }) => engineNames.includes(name)))('by $name', (kind) => {
      describeWithTools('on this machine', kind.tools, () => {
        it('are pulled', async () => {
          const client = await engines.of(kind);
          const pull = await client.pull(`${manifix.host}/team/app:list`);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
          expect(await client.pulledDigests(`${manifix.host}/team/app:list`)).toContain(image.digest);
        });
      });
    });
  });
});
