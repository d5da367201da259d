import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { openContainersHome } from '../support/clients/containers.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

const authority = makeCertificate({ name: 'private authority' });
const certificate = () => makeCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority });
const image = sampleImage('list');

/** A docker-registry behind an nginx that wants a password and leads to another nginx for blobs, as registries with storage do. */
describeWithTools('a registry behind nginx, with TLS and its blobs elsewhere', ['docker-registry', 'nginx'], () => {
  const cleanup = new AsyncDisposableStack();
  let registry: Nginx;
  let manifix: Manifix;

  beforeAll(async () => {
    const { path } = cleanup.use(await temporaryDirectory());
    const file = (name: string) => join(path, name);
    await writeFile(file('ca.crt'), authority.certificate);
    await writeFile(file('users'), 'robot:{PLAIN}secret\n');
    const behind = cleanup.use(await startDockerRegistry());
    await pushImage(behind.url, 'team/app', '1', image);
    // S3 and Azure answer 400 to what brings a proof of its own and another one in its URL.
    const directives = 'if ($http_authorization) { return 400; }';
    const storage = cleanup.use(await startNginx(behind.url, { tls: certificate(), directives }));
    registry = cleanup.use(
      await startNginx(behind.url, {
        tls: certificate(),
        directives: `auth_basic "registry"; auth_basic_user_file ${file('users')};
          location ~ ^/v2/.+/blobs/sha256: { return 307 ${storage.url}$request_uri; }`,
      }),
    );
    const credentials = { username: 'robot', password: 'secret' };
    const upstreams = { only: { url: registry.url, credentials, tls: { ca: file('ca.crt') } } };
    manifix = cleanup.use(await startManifix({ config: { upstreams } }));
  });
  afterAll(() => cleanup.disposeAsync());

  describeWithTools('by skopeo', ['skopeo'], () => {
    it('is copied from whole, without a login and without the password reaching the storage', async () => {
      await using home = await openContainersHome();
      const copy = await home.skopeo(
        ...['copy', '--all', '--src-tls-verify=false'],
        `docker://${manifix.host}/team/app:1`,
        `dir:${join(home.directory, 'copy')}`,
      );
      expect(copy, copy.stderr).toMatchObject({ code: 0 });
    });
  });

  it('gives its blobs to the cache, where they stay when it is gone', async () => {
    const blobs = image.children.flatMap((child) => child.blobs);
    const pull = () =>
      Promise.all(blobs.map(({ digest }) => exchange(manifix.url, { target: `/v2/team/app/blobs/${digest}` })));
    for (const [index, { status, body }] of (await pull()).entries())
      expect([status, body.equals(blobs[index]?.bytes ?? Buffer.alloc(0))]).toEqual([200, true]);
    await registry.stop();
    for (const { status } of await pull()) expect(status).toBe(200);
  });
});
