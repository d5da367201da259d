import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';

const before = sampleImage('list');
const after = sampleImage('docker-amd64');
const message = 'has a known hole; use 2.0';

describeWithTools('a registry behind a policy on content', ['docker-registry'], () => {
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const pins = [{ repository: 'team/pinned', tag: 'latest', digest: before.digest }];
    const coolDown = [{ repositories: ['team/cooled'], tags: ['latest'], age: '3d' }];
    const deny = [{ repositories: ['team/*'], tags: ['1.*'], message }];
    manifix = await startManifix({
      config: {
        cache: { tagTtl: '0s' },
        upstreams: { hub: { url: registry.url } },
        endpoints: [{ content: { pins, coolDown, deny } }],
      },
    });
    for (const image of [before, after]) {
      await pushImage(registry.url, 'team/pinned', 'latest', image);
      await pushImage(registry.url, 'team/cooled', 'latest', image);
      const target = '/v2/team/cooled/manifests/latest';
      await exchange(manifix.url, { target, headers: { Accept: manifestTypes.join(', ') } });
    }
    await pushImage(registry.url, 'team/app', '1.4', after);
    await pushImage(registry.url, 'team/app', '2.0', after);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop()]));

  for (const { name, tools, start } of imageClients) {
    describeWithTools(`as ${name} sees it`, tools, () => {
      it('gives the pinned image, the one from before a move, and the message of a denial', async () => {
        await using client = await start();
        for (const repository of ['team/pinned', 'team/cooled']) {
          const reference = `${manifix.host}/${repository}:latest`;
          const pull = await client.pull(reference);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
          expect(await client.pulledDigests(reference)).toContain(before.digest);
        }
        const denied = await client.pull(`${manifix.host}/team/app:1.4`);
        expect(denied.code).not.toBe(0);
        // containerd asks by HEAD, whose answers have no message.
        expect(denied.stderr + denied.stdout).toContain(name === 'containerd' ? '403 Forbidden' : message);
      });

      it('takes what it pushes to a pinned tag, and refuses what is denied with the message', async () => {
        await using client = await start();
        const source = `${manifix.host}/team/app:2.0`;
        expect(await client.pull(source)).toMatchObject({ code: 0 });
        const pushed = await client.push(source, `${manifix.host}/team/pinned:latest`);
        expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
        const again = await client.pull(`${manifix.host}/team/pinned:latest`);
        expect(again, again.stderr).toMatchObject({ code: 0 });
        expect(await client.pulledDigests(`${manifix.host}/team/pinned:latest`)).toContain(before.digest);
        const denied = await client.push(source, `${manifix.host}/team/app:1.5`);
        expect(denied.code).not.toBe(0);
        expect(denied.stderr + denied.stdout).toMatch(
          name === 'containerd' ? /403 Forbidden|known hole/ : /known hole/,
        );
      });
    });
  }
});
