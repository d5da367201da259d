import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

const engineNames = ['containerd', 'podman', 'dockerd'];
const image = sampleImage('list');

interface Parts {
  readonly registry: DockerRegistry;
  readonly tokens: TokenServer;
}

const outages: readonly (readonly [string, (parts: Parts) => unknown])[] = [
  ['the token service is down', ({ tokens }) => tokens.stop()],
  ['the registry is killed', ({ registry }) => registry.signal('SIGKILL')],
  [
    'the registry hangs and the token service answers 503',
    ({ registry, tokens }) => {
      tokens.failing = 503;
      registry.signal('SIGSTOP');
    },
  ],
];

describeWithTools('images that everybody may pull with a token', ['docker-registry', 'skopeo'], () => {
  describe.each(outages)('while %s', (_, begin) => {
    let tokens: TokenServer;
    let registry: DockerRegistry;
    let manifix: Manifix;
    let engines: Engines;

    beforeAll(async () => {
      engines = startEngines();
      tokens = await startTokenServer({ users: { user: 'secret' } });
      registry = await startDockerRegistry({ tokenService: tokens });
      const own = { registry: { url: registry.url, credentials: { username: 'user', password: 'secret' } } };
      await using writer = await startManifix({ config: { upstreams: own } });
      await pushImage(writer.url, 'public/app', '1', image);
      const upstreams = { registry: { url: registry.url } };
      manifix = await startManifix({ config: { upstreams, cache: { tagTtl: '0s' } } });
      const [skopeo] = imageClients.filter(({ name }) => name === 'skopeo');
      const warmed = skopeo && (await (await engines.of(skopeo)).pull(`${manifix.host}/public/app:1`));
      expect(warmed, warmed?.stderr).toMatchObject({ code: 0 });
      await begin({ registry, tokens });
    });
    afterAll(async () => {
      registry.signal('SIGCONT');
      await Promise.all([engines.stop(), manifix.stop(), registry.stop(), tokens.stop()]);
    });

    describe.each(imageClients.filter(({ name }) => engineNames.includes(name)))('by $name', (kind) => {
      describeWithTools('on this machine', kind.tools, () => {
        it('are pulled by whoever has no password', async () => {
          const client = await engines.of(kind);
          const pull = await client.pull(`${manifix.host}/public/app:1`);
          expect(pull, pull.stderr).toMatchObject({ code: 0 });
          expect(await client.pulledDigests(`${manifix.host}/public/app:1`)).toContain(image.digest);
        });
      });
    });
  });
});
