import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageClients } from '../support/clients/image-clients.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, type SampleName, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { startNginx } from '../support/nginx.ts';
import { pushSamples } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Engines, startEngines } from './engines.ts';

const engineNames = ['containerd', 'podman', 'dockerd'];
const byTag = { target: '/v2/team/app/manifests/list', headers: { Accept: manifestTypes.join(', ') } };

/** A docker-registry, and what stands in front of it, if anything does. */
interface Upstream extends AsyncDisposable {
  readonly registry: DockerRegistry;
  readonly url: string;
  /** Of an account that may do everything. */
  readonly account?: { readonly username: string; readonly password: string };
  /** What makes it fail. */
  begin(): unknown;
}

function signalled(signal: NodeJS.Signals): () => Promise<Upstream> {
  return async () => {
    const registry = await startDockerRegistry();
    const stop = () => {
      registry.signal('SIGCONT');
      return registry.stop();
    };
    return { registry, url: registry.url, begin: () => registry.signal(signal), [Symbol.asyncDispose]: stop };
  };
}

/** An nginx answers 429 to everything as soon as a file is there. */
async function limited(): Promise<Upstream> {
  await using started = new AsyncDisposableStack();
  const registry = started.use(await startDockerRegistry());
  const file = join(registry.directory, 'limited');
  const nginx = started.use(await startNginx(registry.url, { directives: `if (-f ${file}) { return 429; }` }));
  const stop = started.move();
  return {
    registry,
    url: nginx.url,
    begin: () => writeFile(file, ''),
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

/** Its passwords change, and nobody tells manifix. */
async function withAccount(): Promise<Upstream> {
  const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
  const registry = await startDockerRegistry({ htpasswd });
  return {
    registry,
    url: registry.url,
    account: { username: 'user', password: 'secret' },
    begin: () => writeFile(join(registry.directory, 'htpasswd'), htpasswd.replace('user', 'other')),
    [Symbol.asyncDispose]: registry.stop,
  };
}

const outages = [
  ['docker-registry hangs', [], signalled('SIGSTOP'), 'registry-slow'],
  ['docker-registry is killed', [], signalled('SIGKILL'), 'registry-unavailable'],
  ['docker-registry refuses the account of manifix', [], withAccount, 'account-refused'],
  ['nginx in front of docker-registry answers 429', ['nginx'], limited, 'registry-unavailable'],
] as const;

describe.each(outages)('while %s', (_, tools, start, reason) => {
  describeWithTools('images that are cached', ['docker-registry', 'skopeo', ...tools], () => {
    let upstream: Upstream;
    let manifix: Manifix;
    let engines: Engines;

    beforeAll(async () => {
      engines = startEngines();
      upstream = await start();
      // Each request by tag has to ask the registry. All times that it may take are the default ones.
      const upstreams = { hub: { url: upstream.url, credentials: upstream.account ?? 'passthrough' } };
      manifix = await startManifix({ config: { upstreams, cache: { tagTtl: '0s' } } });
      await pushSamples(manifix.url, 'team/app');
      const [skopeo] = imageClients.filter(({ name }) => name === 'skopeo');
      for (const tag of ['list', 'index']) {
        const warmed = skopeo && (await (await engines.of(skopeo)).pull(`${manifix.host}/team/app:${tag}`));
        expect(warmed, warmed?.stderr).toMatchObject({ code: 0 });
      }
      await upstream.begin();
    });
    afterAll(() => Promise.all([engines.stop(), manifix.stop(), upstream[Symbol.asyncDispose]()]));

    it('are told to be older than the question', async () => {
      const answer = await exchange(manifix.url, byTag);
      expect(answer.status).toBe(200);
      expect(answer.header('Cache-Status')).toContain(`fwd=stale; detail="${reason}"`);
      expect(answer.header('Warning')).toMatch(/^299 - "manifix: /);
    });

    arePulled('list');

    describe('after a restart of manifix', () => {
      beforeAll(() => manifix.restart());
      arePulled('index');
    });

    function arePulled(tag: SampleName): void {
      describe.each(imageClients.filter(({ name }) => engineNames.includes(name)))('by $name', (kind) => {
        describeWithTools('on this machine', kind.tools, () => {
          it('are pulled', async () => {
            const client = await engines.of(kind);
            const pull = await client.pull(`${manifix.host}/team/app:${tag}`);
            expect(pull, pull.stderr).toMatchObject({ code: 0 });
            expect(await client.pulledDigests(`${manifix.host}/team/app:${tag}`)).toContain(sampleImage(tag).digest);
          });
        });
      });
    }
  });
});
