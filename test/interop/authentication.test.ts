import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

describeWithTools('an endpoint that knows its clients', ['docker-registry', 'htpasswd'], () => {
  const cleanup = new AsyncDisposableStack();
  let registry: DockerRegistry;
  let provider: OidcIssuer;
  let manifix: Manifix;
  let reference: string;

  beforeAll(async () => {
    registry = cleanup.use(await startDockerRegistry());
    await pushImage(registry.url, 'team/app', 'latest', sampleImage('list'));
    provider = cleanup.use(await startOidcIssuer());
    const directory = cleanup.use(await temporaryDirectory());
    const htpasswd = join(directory.path, 'users.htpasswd');
    expect(await run('htpasswd', ['-B', '-b', '-c', htpasswd, 'bob', 'correct horse'])).toMatchObject({ code: 0 });
    const oidc = [{ name: 'ci', issuer: provider.issuer, audience: 'manifix' }];
    manifix = cleanup.use(
      await startManifix({
        config: {
          upstreams: { own: { url: registry.url, credentials: 'none' } },
          endpoints: [
            {
              name: 'team',
              auth: { htpasswd, tokens: true, oidc },
              rights: [{ who: ['authenticated'], allow: ['pull', 'push'], repositories: ['**'] }],
            },
          ],
        },
      }),
    );
    reference = `${manifix.host}/team/app:latest`;
  });
  afterAll(() => cleanup.disposeAsync());

  /** Asks the admin listener as `manifix token` does. */
  async function tokens(target: string, body: object): Promise<{ readonly id: string; readonly token: string }> {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await exchange(manifix.adminUrl, { method: 'POST', target, headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body.toString());
  }

  describeWithTools('and docker', ['dockerd', 'docker', 'containerd'], () => {
    it('logs in with a password of htpasswd, pulls and pushes', async () => {
      await using engine = await startDockerd();
      expect(await engine.docker('pull', reference)).toMatchObject({ code: 1 });
      const wrong = await engine.docker('login', '-u', 'bob', '-p', 'wrong', manifix.host);
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/unauthorized|401 Unauthorized/)]);
      const login = await engine.docker('login', '-u', 'bob', '-p', 'correct horse', manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
      const pull = await engine.docker('pull', reference);
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      await engine.docker('tag', reference, `${manifix.host}/team/docker:1`);
      const push = await engine.docker('push', `${manifix.host}/team/docker:1`);
      expect(push, push.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('and podman, buildah and skopeo', ['podman', 'buildah', 'skopeo'], () => {
    it('log in with a token, pull and push, until the token is revoked', async () => {
      await using home = await openContainersHome();
      const { id, token } = await tokens('/tokens', { user: 'robot', expires: '1h' });
      const login = await home.podman('login', '--tls-verify=false', '-u', 'robot', '-p', token, manifix.host);
      expect(login, login.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
      for (const tool of [home.podman, home.buildah]) {
        const pull = await tool('pull', '--tls-verify=false', reference);
        expect(pull, pull.stderr).toMatchObject({ code: 0 });
        const push = await tool('push', '--tls-verify=false', reference, `${manifix.host}/team/podman:1`);
        expect(push, push.stderr).toMatchObject({ code: 0 });
      }
      const other = await home.skopeo(
        'inspect',
        '--raw',
        '--tls-verify=false',
        '--creds',
        `bob:${token}`,
        `docker://${reference}`,
      );
      expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('for another user than its own')]);
      await tokens('/tokens/revoke', { id });
      const late = await home.podman('pull', '--tls-verify=false', reference);
      expect([late.code === 0, late.stderr]).toEqual([false, expect.stringContaining('was revoked')]);
    });

    it('take a token of an OpenID provider for a password', async () => {
      await using home = await openContainersHome();
      const creds = `oidc:${await provider.token({ repository_owner: 'acme' })}`;
      const inspect = await home.skopeo(
        'inspect',
        '--raw',
        '--tls-verify=false',
        '--creds',
        creds,
        `docker://${reference}`,
      );
      expect(inspect, inspect.stderr).toMatchObject({ code: 0 });
      const login = await home.buildah(
        'login',
        '--tls-verify=false',
        '-u',
        'oidc',
        '-p',
        creds.slice('oidc:'.length),
        manifix.host,
      );
      expect(login, login.stderr).toMatchObject({ code: 0 });
    });
  });
});
