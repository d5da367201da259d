import { afterAll, beforeAll, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Example, passwordFile, startExample } from './teams.ts';

const main = 'repo:acme/app:ref:refs/heads/main';
const branch = 'repo:acme/app:ref:refs/heads/wip';
const stranger = 'repo:other/app:ref:refs/heads/main';
const account = { manifix: 'registry-secret' };

describeWithTools('jobs of a CI system, as docs/teams.md has them', ['docker-registry', 'htpasswd'], () => {
  let registry: DockerRegistry;
  let issuer: Issuer;
  let example: Example;
  let host: string;

  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: await passwordFile(account) });
    const credentials = { Authorization: `Basic ${Buffer.from(`manifix:${account.manifix}`).toString('base64')}` };
    await pushImage(registry.url, 'app/web', '1', sampleImage('docker-amd64'), credentials);
    issuer = await startIssuer({
      [main]: { repository_owner: 'acme', ref: 'refs/heads/main' },
      [branch]: { repository_owner: 'acme', ref: 'refs/heads/wip' },
      [stranger]: { repository_owner: 'other', ref: 'refs/heads/main' },
    });
    example = await startExample('ci', {
      addresses: {
        'https://registry.example.com': registry.url,
        'https://token.actions.githubusercontent.com': issuer.url,
      },
      registryPassword: account.manifix,
    });
    host = example.manifix.host;
  });
  afterAll(async () => {
    await example[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
    await registry.stop();
  });

  const isStored = async (repository: string, tag: string) => {
    const credentials = { Authorization: `Basic ${Buffer.from(`manifix:${account.manifix}`).toString('base64')}` };
    const { status } = await exchange(registry.url, {
      method: 'HEAD',
      target: `/v2/${repository}/manifests/${tag}`,
      headers: { ...credentials, Accept: '*/*' },
    });
    return status === 200;
  };

  describeWithTools('with docker', ['dockerd', 'docker', 'containerd'], () => {
    it('push from the main branch, and pull only from others', async () => {
      await using engine = await startDockerd();
      const image = `${host}/app/web:1`;
      const login = async (job: string) =>
        engine.docker('login', '-u', 'ci', '-p', await issuer.token(job, 'manifix'), host);
      const foreign = await login(stranger);
      expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('unauthorized')]);
      expect(await login(branch)).toMatchObject({ code: 0 });
      const pulled = await engine.docker('pull', image);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      await engine.docker('tag', image, `${host}/app/web:docker`);
      expect(await engine.docker('push', `${host}/app/web:docker`)).toMatchObject({ code: 1 });
      expect(await isStored('app/web', 'docker')).toBe(false);
      expect(await login(main)).toMatchObject({ code: 0 });
      const pushed = await engine.docker('push', `${host}/app/web:docker`);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
      expect(await isStored('app/web', 'docker')).toBe(true);
    });
  });

  describeWithTools('with podman, buildah and skopeo', ['podman', 'buildah', 'skopeo'], () => {
    it('push from the main branch below app/ only, and not at all with a token for somebody else', async () => {
      await using home = await openContainersHome();
      const certs = ['--cert-dir', example.certificates];
      const login = async (job: string, audience = 'manifix') =>
        home.podman('login', ...certs, '-u', 'ci', '-p', await issuer.token(job, audience), host);
      expect(await login(main, 'another')).not.toMatchObject({ code: 0 });
      const logged = await login(main);
      expect(logged, logged.stderr).toMatchObject({ code: 0 });
      const image = `${host}/app/web:1`;
      for (const pull of [home.podman, home.buildah]) {
        const pulled = await pull('pull', ...certs, image);
        expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      }
      const pushed = await home.buildah('push', ...certs, image, `docker://${host}/app/buildah:1`);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
      const dirs = ['--src-cert-dir', example.certificates, '--dest-cert-dir', example.certificates];
      const copy = (name: string) => home.skopeo('copy', ...dirs, `docker://${image}`, `docker://${host}/${name}`);
      const copied = await copy('app/skopeo:1');
      expect(copied, copied.stderr).toMatchObject({ code: 0 });
      expect(await copy('other/skopeo:1')).toMatchObject({ code: 1 });
    });
  });

  describeWithTools('with containerd', ['containerd', 'ctr'], () => {
    it('pull and push with the token as a password', async () => {
      const file = `server = "https://${host}"\nca = "${example.certificates}/ca.crt"\n[host]\n`;
      await using containerd = await startContainerd({ hosts: { [host]: file } });
      const user = `ci:${await issuer.token(main, 'manifix')}`;
      const pulled = await containerd.pull(`${host}/app/web:1`, user);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      const pushed = await containerd.push(`${host}/app/containerd:1`, `${host}/app/web:1`, user);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
    });
  });

  it('and nobody gets in without a token', async () => {
    const answer = await exchange(example.manifix.url, { target: '/v2/app/web/manifests/1' });
    expect(answer.status).toBe(401);
  });
});
