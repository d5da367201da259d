import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { startTinyproxy } from '../support/tinyproxy.ts';
import { startTokenServer } from '../support/token-server.ts';
import { describeWithTools } from '../support/tools.ts';

const image = sampleImage('oci-amd64');
const Accept = manifestTypes.join(', ');
const basic = `Basic ${Buffer.from('dev:pw').toString('base64')}`;
const pull = (from: Manifix) => exchange(from.url, { target: '/v2/team/app/manifests/latest', headers: { Accept } });
const openUpload = (at: Manifix) => exchange(at.url, { method: 'POST', target: '/v2/team/app/blobs/uploads/' });

describeWithTools(
  'a registry behind TLS and a real proxy that wants a password',
  ['docker-registry', 'tinyproxy'],
  () => {
    const cleanup = new AsyncDisposableStack();
    afterAll(() => cleanup.disposeAsync());

    async function scene() {
      const directory = cleanup.use(await temporaryDirectory());
      const issuer = makeCertificate({ name: 'authority' });
      const ca = join(directory.path, 'ca');
      await writeFile(ca, issuer.certificate);
      const tls = makeCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer });
      const registry = cleanup.use(await startDockerRegistry({ tls }));
      const { port } = new URL(registry.url);
      const proxy = cleanup.use(await startTinyproxy(['BasicAuth robot hunter2', `ConnectPort ${port}`]));
      const manifixWith = async (url: string, login: object) => {
        const hub = { url: registry.url, tls: { ca }, proxy: { url, ...login } };
        return cleanup.use(await startManifix({ config: { upstreams: { hub }, cache: { tagTtl: '0s' } } }));
      };
      return { registry, proxy, manifixWith };
    }

    it('takes pushes and pulls through it, is served from the cache without it, and is told apart from it', async () => {
      const { registry, proxy, manifixWith } = await scene();
      const manifix = await manifixWith(proxy.url, { username: 'robot', password: 'hunter2' });
      await pushImage(manifix.url, 'team/app', 'latest', image);
      expect((await pull(manifix)).body.equals(image.bytes)).toBe(true);
      for (const { digest, bytes } of image.blobs) {
        const answer = await exchange(manifix.url, { target: `/v2/team/app/blobs/${digest}` });
        expect(answer.body.equals(bytes)).toBe(true);
      }
      expect(proxy.output()).toContain(`CONNECT ${registry.host}`);
      const stranger = await manifixWith(proxy.url, {});
      for (const answer of [await pull(stranger), await openUpload(stranger)]) {
        expect(answer.status).toBe(502);
        expect(answer.body.toString()).toContain(`its proxy ${proxy.url} does not let manifix in (407)`);
      }
      await proxy[Symbol.asyncDispose]();
      expect((await pull(manifix)).body.equals(image.bytes)).toBe(true);
      const refused = await openUpload(manifix);
      expect(refused.status).toBe(502);
      expect(refused.body.toString()).toContain(`its proxy ${proxy.url} refused the connection`);
      expect(manifix.output()).not.toContain('hunter2');
    });

    it('is explained where the proxy allows no connections to that port', async () => {
      const { registry, manifixWith } = await scene();
      await using strict = await startTinyproxy(['ConnectPort 443']);
      const manifix = await manifixWith(strict.url, {});
      for (const answer of [await pull(manifix), await openUpload(manifix)]) {
        expect(answer.status).toBe(502);
        expect(answer.body.toString()).toContain(`Allow CONNECT to ${registry.host} there.`);
      }
    });
  },
);

describeWithTools('a registry and a token service whose names only the proxy knows', ['docker-registry'], () => {
  it('give tokens, take pushes and serve pulls through it, and nothing tries to reach them otherwise', async () => {
    await using tokens = await startTokenServer({ users: { dev: 'pw' } });
    const realm = 'http://auth.example.com:5001/token';
    await using registry = await startDockerRegistry({ tokenService: { ...tokens, realm } });
    const routes = { 'registry.example.com:5000': registry.host, 'auth.example.com:5001': new URL(tokens.url).host };
    await using proxy = await startHttpProxy({ routes });
    const hub = { url: 'http://registry.example.com:5000', proxy: proxy.url };
    const credentials = { username: 'dev', password: 'pw' };
    await using own = await startManifix({ config: { upstreams: { hub: { ...hub, credentials } } } });
    await pushImage(own.url, 'team/app', 'latest', image);
    await using manifix = await startManifix({ config: { upstreams: { hub } } });
    const refused = await pull(manifix);
    expect([refused.status, refused.header('WWW-Authenticate')]).toEqual([401, expect.stringContaining(manifix.host)]);
    const target = '/token?scope=repository:team/app:pull';
    const given = await exchange(manifix.url, { target, headers: { Authorization: basic } });
    const { token } = JSON.parse(given.body.toString());
    const headers = { Accept, Authorization: `Bearer ${token}` };
    const answer = await exchange(manifix.url, { target: '/v2/team/app/manifests/latest', headers });
    expect(answer.body.equals(image.bytes)).toBe(true);
    expect(new Set(proxy.tunnels.map(({ target }) => target))).toEqual(new Set(Object.keys(routes)));
  });
});
