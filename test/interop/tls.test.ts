import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { startContainerd } from '../support/clients/containerd.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { curl } from '../support/clients/curl.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('index');

describeWithTools('manifix with TLS in front of a registry without', ['docker-registry'], () => {
  let directory: TemporaryDirectory;
  let registry: DockerRegistry;
  let manifix: Manifix;
  let authority: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const issuer = makeCertificate({ name: 'authority' });
    const { certificate, key } = makeCertificate({ name: 'manifix', hosts: ['127.0.0.1'], issuer });
    const tls = { cert: join(directory.path, 'tls.crt'), key: join(directory.path, 'tls.key') };
    await writeFile(tls.cert, certificate);
    await writeFile(tls.key, key);
    await mkdir(join(directory.path, 'certs'));
    authority = join(directory.path, 'certs', 'ca.crt');
    await writeFile(authority, issuer.certificate);
    registry = await startDockerRegistry();
    manifix = await startManifix({ config: { upstreams: { only: { url: registry.url } }, tls } });
    await pushImage(registry.url, 'team/app', '1', image);
  });
  afterAll(() => Promise.all([manifix.stop(), registry.stop(), directory.remove()]));

  describeWithTools('and skopeo and podman', ['skopeo', 'podman'], () => {
    it('are pulled from and pushed to by those who know the authority', async () => {
      await using home = await openContainersHome();
      const certificates = join(directory.path, 'certs');
      const stranger = await home.skopeo('inspect', `docker://${manifix.host}/team/app:1`);
      expect(stranger.stderr).toContain('certificate');
      const flags = ['--all', '--src-cert-dir', certificates, '--dest-cert-dir', certificates];
      const [source, copy] = ['team/app', 'team/copy'].map((name) => `docker://${manifix.host}/${name}:1`);
      const copied = await home.skopeo('copy', ...flags, `${source}`, `${copy}`);
      expect(copied, copied.stderr).toMatchObject({ code: 0 });
      const pulled = await home.podman('pull', '--cert-dir', certificates, `${manifix.host}/team/copy:1`);
      expect(pulled, pulled.stderr).toMatchObject({ code: 0 });
    });
  });

  describeWithTools('and curl', ['curl'], () => {
    it.each([
      ['/v2/team/app/tags/list/', '{"name":"team/app","tags":["1"]}'],
      ['//v2/', '{}'],
      ['/v2//team/app/tags/list', '{"name":"team/app","tags":["1"]}'],
      ['/v2', '{}'],
    ])('stays with https where the registry redirects to http: %s', async (path, body) => {
      const ask = [
        '-L',
        '--cacert',
        authority,
        '--proto',
        '=http,https',
        '-o',
        '-',
        '-w',
        ' %{http_code} %{url_effective}',
      ];
      const direct = await curl('-I', `${registry.url}${path}`);
      expect(direct.stdout).toMatch(/^HTTP\/1\.1 301 .*^Location: /ms);
      const { stdout, stderr } = await curl(...ask, '--path-as-is', `${manifix.url}${path}`);
      expect(stdout, stderr).toMatch(/ 200 https:\S+$/);
      expect(stdout.split(' 200 ')[0]?.trim()).toBe(body);
    });
  });

  describeWithTools('and containerd', ['containerd', 'ctr'], () => {
    it('is a mirror and takes pushes, with the authority in hosts.toml', async () => {
      const file = `server = "${manifix.url}"\nca = "${authority}"\n[host."${manifix.url}"]\n  ca = "${authority}"\n`;
      await using containerd = await startContainerd({ hosts: { 'registry.test': file, [manifix.host]: file } });
      const pull = await containerd.pull('registry.test/team/app:1');
      expect(pull, pull.stderr).toMatchObject({ code: 0 });
      const push = await containerd.push(`${manifix.host}/pushed/app:1`, 'registry.test/team/app:1');
      expect(push, push.stderr).toMatchObject({ code: 0 });
    });
  });
});
