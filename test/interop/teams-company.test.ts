import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { eventually } from '../support/deadline.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { pushImage } from '../support/push-image.ts';
import { describeWithTools } from '../support/tools.ts';
import { type Example, passwordFile, startExample } from './teams.ts';

const passwords = { ann: 'ann secret', bob: 'bob-secret', carol: 'carol-secret', dave: 'dave-secret' };
const account = { manifix: 'registry-secret' };
const basic = (user: keyof typeof passwords) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${passwords[user]}`).toString('base64')}`,
});

describeWithTools('a company with three teams, as docs/teams.md has it', ['docker-registry', 'htpasswd'], () => {
  let registries: Readonly<Record<'hub' | 'platform' | 'web' | 'data', DockerRegistry>>;
  let example: Example;
  let host: string;

  beforeAll(async () => {
    const htpasswd = await passwordFile(account);
    const [hub, platform, web, data] = await Promise.all([
      startDockerRegistry(),
      startDockerRegistry({ htpasswd }),
      startDockerRegistry({ htpasswd }),
      startDockerRegistry({ htpasswd }),
    ]);
    registries = { hub, platform, web, data };
    const credentials = { Authorization: `Basic ${Buffer.from(`manifix:${account.manifix}`).toString('base64')}` };
    await pushImage(hub.url, 'library/alpine', 'latest', sampleImage('docker-amd64'));
    await pushImage(platform.url, 'base/os', '1', sampleImage('list'), credentials);
    await pushImage(platform.url, 'tool', '1', sampleImage('oci-amd64'), credentials);
    await pushImage(data.url, 'secret', '1', sampleImage('index'), credentials);
    example = await startExample('company', {
      addresses: {
        'https://registry-1.docker.io': hub.url,
        'https://registry.platform.example.com': platform.url,
        'https://registry.web.example.com': web.url,
        'https://registry.data.example.com': data.url,
      },
      users: passwords,
      registryPassword: account.manifix,
    });
    host = example.manifix.host;
  });
  afterAll(async () => {
    await example[Symbol.asyncDispose]();
    await Promise.all(Object.values(registries).map((registry) => registry.stop()));
  });

  describeWithTools('has docker', ['dockerd', 'docker', 'containerd'], () => {
    it('log in once, pull from the mirror and from the base images, and push to its own team only', async () => {
      await using engine = await startDockerd();
      const image = `${host}/platform/base/os:1`;
      expect(await engine.docker('pull', image)).toMatchObject({ code: 1 });
      const wrong = await engine.docker('login', '-u', 'bob', '-p', 'guessed', host);
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('unauthorized')]);
      const login = await engine.docker('login', '-u', 'bob', '-p', passwords.bob, host);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      for (const name of [image, `${host}/alpine`]) {
        const pulled = await engine.docker('pull', name);
        expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      }
      await engine.docker('tag', image, `${host}/web/shop:1`);
      const pushed = await engine.docker('push', `${host}/web/shop:1`);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
      await engine.docker('tag', image, `${host}/platform/base/os:mine`);
      expect(await engine.docker('push', `${host}/platform/base/os:mine`)).toMatchObject({ code: 1 });
      expect(await engine.docker('pull', `${host}/data/secret:1`)).toMatchObject({ code: 1 });
      const by = { user: 'bob', client: '127.0.0.1' };
      const events = await eventually('the push and the denial in the audit log', async () => {
        const written = await example.audited();
        const isThere = (event: string, endpoint: string) =>
          written.some((line) => line.event === event && line.endpoint === endpoint);
        return isThere('push', 'web') && isThere('denied', 'data') ? written : undefined;
      });
      const pushes = events.filter(({ event }) => event === 'push');
      expect(pushes).toEqual([
        expect.objectContaining({ ...by, outcome: 'done', endpoint: 'web', repository: 'shop' }),
      ]);
      const denied = { ...by, event: 'denied', detail: expect.objectContaining({ action: 'push' }) };
      expect(events).toContainEqual(
        expect.objectContaining({ ...denied, endpoint: 'platform', repository: 'base/os' }),
      );
      const { stdout } = await example.ask('usage', '--by', 'user', '--endpoint', 'web', '--csv');
      expect(stdout).toMatch(/^web,bob,\d+,/m);
    });
  });

  describeWithTools('has podman, skopeo and buildah', ['podman', 'skopeo', 'buildah'], () => {
    it('work with the token of a robot, until it is revoked', async () => {
      await using home = await openContainersHome();
      const endpoints = ['--endpoint', 'web', '--endpoint', 'mirror'];
      const made = await example.ask('token', 'new', '--user', 'robot-web', ...endpoints, '--expires', '30d');
      const token = made.stdout.trim();
      const certs = ['--cert-dir', example.certificates];
      const login = await home.podman('login', ...certs, '-u', 'robot-web', '-p', token, host);
      expect(login, made.stderr + login.stderr).toMatchObject({ code: 0 });
      const source = `docker://${registries.hub.host}/library/alpine:latest`;
      const copied = await home.skopeo(
        ...['copy', '--src-tls-verify=false', '--dest-cert-dir', example.certificates],
        ...[source, `docker://${host}/web/robot:1`],
      );
      expect(copied, copied.stderr).toMatchObject({ code: 0 });
      const pulled = await home.podman('pull', ...certs, `${host}/web/robot:1`);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      const pushed = await home.buildah('push', ...certs, `${host}/web/robot:1`, `docker://${host}/web/robot:2`);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
      const removed = await home.skopeo('delete', ...certs, `docker://${host}/web/robot:1`);
      expect(removed).toMatchObject({ code: 1 });
      const { stdout } = await example.ask('token', 'list', '--json');
      const [{ id }] = JSON.parse(stdout).tokens;
      expect(await example.ask('token', 'revoke', id)).toMatchObject({ code: 0 });
      expect(await home.skopeo('inspect', ...certs, `docker://${host}/web/robot:1`)).toMatchObject({ code: 1 });
    });
  });

  describeWithTools('has containerd', ['containerd', 'ctr'], () => {
    it('pull and push as who it is', async () => {
      const file = `server = "https://${host}"\nca = "${example.certificates}/ca.crt"\n[host]\n`;
      await using containerd = await startContainerd({ hosts: { [host]: file } });
      const image = `${host}/data/secret:1`;
      const dave = `dave:${passwords.dave}`;
      const pulled = await containerd.pull(image, dave);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      const pushed = await containerd.push(`${host}/data/copy:1`, image, dave);
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
      const foreign = await containerd.pull(image, `carol:${passwords.carol}`);
      expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('not found')]);
    });
  });

  describe('tells nobody what is not theirs', () => {
    const ask = (target: string, user?: keyof typeof passwords) =>
      exchange(example.manifix.url, { target, headers: user === undefined ? {} : basic(user) });

    it('by digest, as blob or in a list, in the words of what is not there', async () => {
      const { digest, children } = sampleImage('index');
      const [layer] = children.flatMap(({ blobs }) => blobs);
      for (const target of [`manifests/${digest}`, 'manifests/1', `blobs/${layer?.digest}`, 'tags/list']) {
        const [own, foreign, absent] = await Promise.all([
          ask(`/v2/data/secret/${target}`, 'dave'),
          ask(`/v2/data/secret/${target}`, 'bob'),
          ask(`/v2/data/absent/${target}`, 'bob'),
        ]);
        expect([own.status, foreign.status], target).toEqual([200, 404]);
        expect(foreign.body.toString().replaceAll('secret', 'absent')).toBe(absent.body.toString());
        expect((await ask(`/v2/data/secret/${target}`)).status).toBe(401);
      }
    });

    it('and it can be asked beforehand who may do what, and by which rule', async () => {
      const can = (...question: readonly string[]) => example.command('check', '--can', ...question);
      expect(await can('carol', 'push', 'web/shop')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^yes: endpoints\[2\]\.rights\[1\] /),
      });
      expect(await can('robot-web', 'delete', 'web/shop')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^no: endpoints\[2\]\.rights\[0\] /),
      });
      expect(await can('carol', 'pull', 'data/secret')).toMatchObject({ code: 1 });
    });
  });
});
