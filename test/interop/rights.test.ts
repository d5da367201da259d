import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

/** The password of both is "secret". */
const HASH = '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const image = sampleImage('list');

describeWithTools('two teams with rights of their own behind one host', ['docker-registry'], () => {
  let directory: TemporaryDirectory;
  let registry: DockerRegistry;
  let manifix: Manifix;

  beforeAll(async () => {
    [directory, registry] = await Promise.all([temporaryDirectory(), startDockerRegistry()]);
    for (const name of ['a/base', 'b/secret', 'a/public']) await pushImage(registry.url, name, '1', image);
    for (const [file, user] of Object.entries({ a: 'bob', b: 'ann' }))
      await writeFile(join(directory.path, `${file}.htpasswd`), `${user}:${HASH}\n`);
    const team = (name: string, user: string, challenge: string) => ({
      name: `team-${name}`,
      upstream: 'registry',
      prefix: `team-${name}`,
      repositories: { allow: [`${name}/**`] },
      auth: { htpasswd: join(directory.path, `${name}.htpasswd`), challenge },
      rights: [
        { who: ['everybody'], allow: ['pull'], repositories: ['*/public'] },
        { who: [user], allow: ['pull', 'push', 'list'], repositories: [`${name}/**`] },
      ],
    });
    manifix = await startManifix({
      config: {
        upstreams: { registry: { url: registry.url, credentials: 'none' } },
        endpoints: [team('a', 'bob', 'bearer'), team('b', 'ann', 'basic')],
      },
    });
  });
  afterAll(async () => {
    await Promise.all([manifix.stop(), registry.stop()]);
    await directory.remove();
  });

  const named = (name: string) => `${manifix.host}/${name}`;
  const isStored = async (repository: string) =>
    (await exchange(registry.url, { target: `/v2/${repository}/tags/list` })).status === 200;

  describeWithTools('docker', ['dockerd', 'docker', 'containerd'], () => {
    it('pulls what everybody may have, and logs in to pull and push the rest', async () => {
      await using engine = await startDockerd();
      const open = await engine.docker('pull', named('team-a/a/public:1'));
      expect(open, open.stderr).toMatchObject({ code: 0 });
      expect((await engine.docker('pull', named('team-a/a/base:1'))).code).toBe(1);
      const wrong = await engine.docker('login', '--username', 'bob', '--password', 'guess', manifix.host);
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('unauthorized')]);
      const login = await engine.docker('login', '--username', 'bob', '--password', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
      const pull = await engine.docker('pull', named('team-a/a/base:1'));
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      await engine.docker('tag', named('team-a/a/base:1'), named('team-a/a/by-docker:1'));
      const push = await engine.docker('push', named('team-a/a/by-docker:1'));
      expect(push, push.stderr).toMatchObject({ code: 0 });
      expect(await isStored('a/by-docker')).toBe(true);
      expect((await engine.docker('pull', named('team-b/b/secret:1'))).code).toBe(1);
    });
  });

  describeWithTools('podman, skopeo and buildah', ['podman', 'skopeo', 'buildah'], () => {
    it.each([
      ['bob', 'team-a/a'],
      ['ann', 'team-b/b'],
    ])('as %s log in once, pull and push in %s', async (user, place) => {
      await using home = await openContainersHome();
      const login = await home.podman('login', '--tls-verify=false', '-u', user, '-p', 'secret', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      const source = place === 'team-a/a' ? 'base' : 'secret';
      const copy = await home.skopeo(
        ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
        ...[`docker://${named(`${place}/${source}:1`)}`, `docker://${named(`${place}/by-skopeo:1`)}`],
      );
      expect(copy, copy.stderr).toMatchObject({ code: 0 });
      const pull = await home.podman('pull', '--tls-verify=false', named(`${place}/by-skopeo:1`));
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      const push = await home.buildah(
        ...['push', '--tls-verify=false', named(`${place}/by-skopeo:1`), named(`${place}/by-buildah:1`)],
      );
      expect(push, push.stderr).toMatchObject({ code: 0 });
      expect(await isStored(`${place.slice('team-a/'.length)}/by-buildah`)).toBe(true);
      const other = place === 'team-a/a' ? 'team-b/b/secret:1' : 'team-a/a/base:1';
      const refused = await home.skopeo('inspect', '--tls-verify=false', `docker://${named(other)}`);
      expect(refused.code).not.toBe(0);
      const tags = await home.skopeo('list-tags', '--tls-verify=false', `docker://${named(`${place}/by-buildah`)}`);
      expect(tags, tags.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('"1"') });
    });
  });

  describeWithTools('containerd', ['containerd', 'ctr'], () => {
    it('pulls and pushes with the credentials that it is given', async () => {
      await using containerd = await startContainerd();
      expect((await containerd.pull(named('team-a/a/base:1'))).code).not.toBe(0);
      const pull = await containerd.pull(named('team-a/a/base:1'), 'bob:secret');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      const push = await containerd.push(named('team-a/a/by-ctr:1'), named('team-a/a/base:1'), 'bob:secret');
      expect(push, push.stderr).toMatchObject({ code: 0 });
      expect(await isStored('a/by-ctr')).toBe(true);
    });
  });
});
