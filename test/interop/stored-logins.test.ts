import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerd } from '../support/clients/dockerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { basicLogin, passwordLine } from '../support/password-line.ts';
import { run } from '../support/process.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('list');
const bob = basicLogin('bob', 'secret').Authorization;

/** Keeps one login in a file, in the protocol of docker-credential-helpers. */
const HELPER = `#!/bin/sh
place=$(dirname "$0")
case $1 in
  store) cat > "$place/login.json" ;;
  get) cat > "$place/asked"; cat "$place/login.json" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) rm -f "$place/login.json" ;;
esac
`;

describeWithTools('a login that is stored somewhere', ['docker-registry'], () => {
  const cleanup = new AsyncDisposableStack();
  let registry: DockerRegistry;
  let directory: string;
  let manifix: Manifix;
  let reference: string;

  const endpoint = {
    name: 'team',
    ns: ['registry.test'],
    rights: [{ who: ['authenticated'], allow: ['pull', 'push', 'list'] }],
  };
  const startTeam = async (auth: object, more: object = {}) =>
    cleanup.use(
      await startManifix({
        config: {
          upstreams: { own: { url: registry.url, credentials: 'none' } },
          endpoints: [{ ...endpoint, auth }],
          ...more,
        },
      }),
    );
  const write = async (name: string, content: string) => {
    await writeFile(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };

  beforeAll(async () => {
    registry = cleanup.use(await startDockerRegistry());
    await pushImage(registry.url, 'team/app', '1', image);
    directory = cleanup.use(await temporaryDirectory()).path;
    manifix = await startTeam({ htpasswd: await write('users.htpasswd', passwordLine('bob', 'secret')) });
    reference = `${manifix.host}/team/app:1`;
  });
  afterAll(() => cleanup.disposeAsync());

  /** A directory with a `config.json` that names the helper, the helper in it, and an environment in which it is found. */
  async function installHelper(name: string) {
    const place = join(directory, name);
    await mkdir(place);
    const program = join(place, 'docker-credential-teams');
    await writeFile(program, HELPER);
    await chmod(program, 0o755);
    const config = join(place, 'config.json');
    await writeFile(config, JSON.stringify({ credHelpers: { [manifix.host]: 'teams' } }));
    const env = { PATH: `${place}:${process.env.PATH}`, DOCKER_CONFIG: place, REGISTRY_AUTH_FILE: config };
    const asked = () => readFile(join(place, 'asked'), 'utf8');
    return { env, asked, config: () => readFile(config, 'utf8') };
  }

  /** What `kubectl create secret docker-registry` makes; its key is `.dockerconfigjson`. */
  async function mountPullSecret(name: string) {
    const [username, password] = ['bob', 'secret'];
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const secret = { auths: { [manifix.host]: { username, password, email: 'bob@example.com', auth } } };
    await mkdir(join(directory, name));
    return write(`${name}/config.json`, JSON.stringify(secret));
  }

  describeWithTools('for docker', ['dockerd', 'docker', 'containerd'], () => {
    it('by a credential helper, or as a pull secret of Kubernetes', async () => {
      await using engine = await startDockerd();
      const helper = await installHelper('docker-helper');
      const docker = (args: readonly string[], env: object) => run('docker', args, { env: { ...engine.env, ...env } });
      expect(await docker(['pull', reference], helper.env)).toMatchObject({ code: 1 });
      const login = await docker(['login', '-u', 'bob', '-p', 'secret', manifix.host], helper.env);
      expect(login, login.stderr).toMatchObject({ code: 0 });
      const pulled = await docker(['pull', reference], helper.env);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      expect(await helper.asked()).toBe(manifix.host);
      expect(JSON.parse(await helper.config())).toMatchObject({ auths: { [manifix.host]: {} } });
      await docker(['tag', reference, `${manifix.host}/team/docker:1`], {});
      const secret = join(await mountPullSecret('docker-secret'), '..');
      const pushed = await docker(['push', `${manifix.host}/team/docker:1`], { DOCKER_CONFIG: secret });
      expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('for podman, skopeo and buildah', ['podman', 'skopeo', 'buildah'], () => {
    it('by a credential helper, or as a pull secret of Kubernetes', async () => {
      await using home = await openContainersHome();
      const helper = await installHelper('podman-helper');
      const env = { ...home.env, ...helper.env };
      const inspect = ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`];
      expect((await run('skopeo', inspect, { env })).code).not.toBe(0);
      const login = await run('podman', ['login', '--tls-verify=false', '-u', 'bob', '-p', 'secret', manifix.host], {
        env,
      });
      expect(login, login.stderr).toMatchObject({ code: 0 });
      for (const [tool, args] of [
        ['skopeo', inspect],
        ['podman', ['pull', '--tls-verify=false', reference]],
        ['buildah', ['push', '--tls-verify=false', reference, `docker://${manifix.host}/team/buildah:1`]],
      ] as const) {
        const used = await run(tool, args, { env });
        expect(used, used.stderr).toMatchObject({ code: 0 });
      }
      expect(await helper.asked()).toBe(manifix.host);
      const secret = await mountPullSecret('podman-secret');
      const read = await home.skopeo('inspect', '--tls-verify=false', '--authfile', secret, `docker://${reference}`);
      expect(read, read.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('for containerd', ['containerd', 'ctr'], () => {
    it('with the name of another registry, whose tokens come from manifix', async () => {
      const hosts = { 'registry.test': `server = "http://127.0.0.1:1"\n[host."${manifix.url}"]\n` };
      await using containerd = await startContainerd({ hosts });
      expect((await containerd.pull('registry.test/team/app:1')).code).not.toBe(0);
      const pulled = await containerd.pull('registry.test/team/app:1', 'bob:secret');
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      expect(await containerd.images()).toMatchObject([{ digest: image.digest }]);
      await manifix.outputMatches(/"user":"bob"[^\n]*"path":"\/token\/team"/);
    });

    it('in a hosts.toml, as a field of all requests', async () => {
      const hosts = {
        'registry.test': `server = "http://127.0.0.1:1"\n[host."${manifix.url}"]\n[host."${manifix.url}".header]\nAuthorization = ["${bob}"]\n`,
      };
      await using containerd = await startContainerd({ hosts });
      const pulled = await containerd.pull('registry.test/team/app:1');
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      expect(await containerd.images()).toMatchObject([{ digest: image.digest }]);
    });
  });

  describeWithTools('as a certificate', ['containerd', 'ctr', 'skopeo'], () => {
    it('that containerd and skopeo show', async () => {
      const authority = makeCertificate({ name: 'authority' });
      const server = makeCertificate({ name: 'manifix', hosts: ['127.0.0.1'], issuer: authority });
      const place = join(directory, 'certs');
      await mkdir(place);
      const lay = async (name: string, { certificate, key }: Certificate) => ({
        cert: await write(`certs/${name}.cert`, certificate),
        key: await write(`certs/${name}.key`, key),
      });
      const ca = await write('certs/ca.crt', authority.certificate);
      const client = await lay('client', makeCertificate({ name: 'node', issuer: authority }));
      const tls = { ...(await lay('../server', server)), clientAuthorities: ca };
      const { host } = await startTeam({ certificates: true }, { tls });
      const files = `ca = "${ca}"\nclient = [["${client.cert}", "${client.key}"]]\n`;
      const hosts = { [host]: `server = "https://${host}"\n[host."https://${host}"]\n${files}` };
      await using containerd = await startContainerd({ hosts });
      const pulled = await containerd.pull(`${host}/team/app:1`);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
      await using home = await openContainersHome();
      const inspect = (dir: string) =>
        home.skopeo('inspect', '--raw', '--cert-dir', dir, `docker://${host}/team/app:1`);
      const shown = await inspect(place);
      expect(shown, shown.stderr).toMatchObject({ code: 0 });
      const nobody = join(directory, 'nobody');
      await mkdir(nobody);
      await write('nobody/ca.crt', authority.certificate);
      const refused = await inspect(nobody);
      expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringMatching(/unauthorized|401/)]);
    });
  });
});
