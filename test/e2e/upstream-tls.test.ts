import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { exchange } from '../support/http.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { listenOnLoopback } from '../support/ports.ts';
import { pushImage } from '../support/push-image.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { describeWithTools } from '../support/tools.ts';

const authority = makeCertificate({ name: 'private authority' });
const server = makeCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority });
const client = makeCertificate({ name: 'manifix', issuer: authority });
const image = sampleImage('oci-amd64');
const Accept = manifestTypes.join(', ');

describeWithTools('a registry behind TLS of a private authority', ['docker-registry'], () => {
  const cleanup = new AsyncDisposableStack();
  const files = { ca: '', cert: '', key: '' };

  beforeAll(async () => {
    const { path } = cleanup.use(await temporaryDirectory());
    const texts = { ca: authority.certificate, cert: client.certificate, key: client.key };
    for (const name of ['ca', 'cert', 'key'] as const) {
      files[name] = join(path, name);
      await writeFile(files[name], texts[name]);
    }
  });
  afterAll(() => cleanup.disposeAsync());

  async function registryWith(clientAuthority?: string): Promise<DockerRegistry> {
    return cleanup.use(await startDockerRegistry({ tls: { ...server, ...(clientAuthority && { clientAuthority }) } }));
  }
  async function manifixWith(url: string, tls: object): Promise<Manifix> {
    return cleanup.use(await startManifix({ config: { upstreams: { only: { url, tls } } } }));
  }
  const pull = (from: Manifix) => exchange(from.url, { target: '/v2/team/app/manifests/latest', headers: { Accept } });
  const openUpload = (at: Manifix) => exchange(at.url, { method: 'POST', target: '/v2/team/app/blobs/uploads/' });

  it('takes pushes and pulls with tls.ca', async () => {
    const registry = await registryWith();
    const manifix = await manifixWith(registry.url, { ca: files.ca });
    await pushImage(manifix.url, 'team/app', 'latest', image);
    const other = await manifixWith(registry.url, { ca: files.ca });
    expect((await pull(other)).body.equals(image.bytes)).toBe(true);
    for (const { digest, bytes } of image.blobs) {
      const answer = await exchange(other.url, { target: `/v2/team/app/blobs/${digest}` });
      expect(answer.body.equals(bytes)).toBe(true);
    }
  });

  it('is refused without, and the answer names the certificate and the key to set', async () => {
    const registry = await registryWith();
    const manifix = await manifixWith(registry.url, {});
    for (const answer of [await pull(manifix), await openUpload(manifix)]) {
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toMatch(/certificate from an authority that is not trusted here .*set tls\.ca/);
    }
  });

  it('is shown tls.cert where it wants a certificate, and explained without', async () => {
    const registry = await registryWith(authority.certificate);
    const manifix = await manifixWith(registry.url, files);
    await pushImage(manifix.url, 'team/app', 'latest', image);
    expect((await pull(manifix)).body.equals(image.bytes)).toBe(true);
    const stranger = await manifixWith(registry.url, { ca: files.ca });
    for (const answer of [await pull(stranger), await openUpload(stranger)]) {
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toMatch(/wants a certificate from clients.*Set tls\.cert and tls\.key/);
    }
  });

  it('leads to another origin, which is trusted by tls.ca but never shown the certificate', async () => {
    const shown: (string | undefined)[] = [];
    const tls = { cert: server.certificate, key: server.key, ca: authority.certificate };
    const start = async (listener: Parameters<typeof createServer>[1]): Promise<string> => {
      const started: Server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener);
      cleanup.defer(() => void started.close().closeAllConnections());
      return `https://127.0.0.1:${await listenOnLoopback(started)}`;
    };
    const nameShown = (socket: unknown) => {
      const peer = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
      return peer?.subject?.CN?.toString();
    };
    const [blob] = image.blobs;
    const storage = await start(({ socket }, answer) => {
      shown.push(nameShown(socket));
      answer.end(blob?.bytes);
    });
    const registry = await start(({ socket, url }, answer) => {
      shown.push(nameShown(socket));
      answer.writeHead(307, { Location: `${storage}${url}` }).end();
    });
    const manifix = await manifixWith(registry, files);
    const answer = await exchange(manifix.url, { target: `/v2/team/app/blobs/${blob?.digest}` });
    expect(answer.status).toBe(200);
    expect(new Set(shown)).toEqual(new Set(['manifix', undefined]));
    expect(shown.at(-1)).toBeUndefined();
  });
});
