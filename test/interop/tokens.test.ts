import { afterAll, beforeAll, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';

const official = sampleImage('list');
const other = sampleImage('index');

describeWithTools('registries with tokens whose repositories have other names', ['docker-registry'], () => {
  let hubTokens: TokenServer;
  let labTokens: TokenServer;
  let hub: DockerRegistry;
  let lab: DockerRegistry;
  let open: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    const users = { user: 'secret' };
    [hubTokens, labTokens] = await Promise.all([startTokenServer({ users }), startTokenServer({ users })]);
    [hub, lab, open] = await Promise.all([
      startDockerRegistry({ tokenService: hubTokens }),
      startDockerRegistry({ tokenService: labTokens }),
      startDockerRegistry(),
    ]);
    const filler = await startManifix({
      config: {
        upstreams: Object.fromEntries(
          Object.entries({ hub, lab }).map(([name, { url }]) => [
            name,
            { url, credentials: { username: 'user', password: 'secret' } },
          ]),
        ),
        endpoints: [
          { name: 'hub', upstream: 'hub' },
          { name: 'lab', upstream: 'lab', prefix: 'lab' },
        ],
      },
    });
    await pushImage(filler.url, 'library/app', '1', official);
    await pushImage(filler.url, 'lab/team/app', '1', other);
    await filler.stop();
    await pushImage(open.url, 'team/app', '1', other);
    manifix = await startManifix({
      config: {
        upstreams: { hub: { url: hub.url, kind: 'dockerhub' }, lab: { url: lab.url }, open: { url: open.url } },
        endpoints: [
          { name: 'hub', upstream: 'hub' },
          { name: 'lab', upstream: 'lab', prefix: 'mirrors/lab' },
          { name: 'open', upstream: 'open', prefix: 'open' },
        ],
      },
    });
  });
  afterAll(() => Promise.all([manifix, hub, lab, open, hubTokens, labTokens].map((one) => one.stop())));

  const references = () =>
    ['app:1', 'mirrors/lab/team/app:1', 'open/team/app:1'].map((name) => `${manifix.host}/${name}`);
  const digests = [official.digest, other.digest, other.digest];

  /** The scopes that a token service was asked for since the last look. */
  function askedScopes({ questions }: TokenServer): readonly string[] {
    return [...new Set(questions.flatMap(({ scopes }) => scopes))];
  }

  describeWithTools('and docker', ['dockerd', 'docker', 'containerd'], () => {
    it('pulls and pushes each by its own name, with the tokens of its own registry', async () => {
      await using engine = await startDockerd();
      const login = await engine.docker('login', '--username', 'user', '--password', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      for (const [at, reference] of references().entries()) {
        const pull = await engine.docker('pull', reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(digests[at] ?? '') });
      }
      const pushed = `${manifix.host}/mirrors/lab/pushed/by-docker:1`;
      await engine.docker('tag', references()[1] ?? '', pushed);
      const push = await engine.docker('push', pushed);
      expect(push, push.stderr).toMatchObject({ code: 0 });
      expect(askedScopes(hubTokens)).toContain('repository:library/app:pull');
      expect(askedScopes(hubTokens).join()).not.toContain('lab');
      expect(askedScopes(labTokens).join()).toContain('repository:pushed/by-docker:p');
      expect(askedScopes(labTokens).join()).not.toContain('mirrors');
      expect(manifix.output()).not.toMatch(/secret|eyJ\w{10}/);
    });
  });

  describeWithTools('and podman and skopeo', ['podman', 'skopeo'], () => {
    it('pull each by its own name after one login, and copy between them', async () => {
      await using home = await openContainersHome();
      const anonymous = await home.skopeo('inspect', '--tls-verify=false', `docker://${references()[1]}`);
      expect(anonymous.stderr).toContain('unauthorized');
      const login = await home.podman('login', '--tls-verify=false', '-u', 'user', '-p', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      for (const [at, reference] of references().entries()) {
        const inspect = await home.skopeo(
          'inspect',
          '--tls-verify=false',
          '--format',
          '{{.Digest}}',
          `docker://${reference}`,
        );
        expect([inspect.stderr, inspect.stdout.trim()]).toEqual(['', digests[at]]);
      }
      const flags = ['--all', '--src-tls-verify=false', '--dest-tls-verify=false'];
      const copy = await home.skopeo(
        'copy',
        ...flags,
        `docker://${references()[0]}`,
        `docker://${manifix.host}/mirrors/lab/copied/app:1`,
      );
      expect(copy, copy.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('and containerd', ['containerd', 'ctr'], () => {
    it('pulls each by its own name', async () => {
      await using containerd = await startContainerd();
      for (const [at, reference] of references().entries()) {
        const pull = await containerd.ctr(
          ...['images', 'pull', '--plain-http', '--user', 'user:secret', '--snapshotter', 'native', reference],
        );
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const images = await containerd.images();
        expect(images.find(({ name }) => name === reference)?.digest).toBe(digests[at]);
      }
    });
  });
});
