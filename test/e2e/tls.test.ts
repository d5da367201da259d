import { rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { eventually, within } from '../support/deadline.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const authority = makeCertificate({ name: 'authority' });
const issue = (name: string) => makeCertificate({ name, hosts: ['localhost', '127.0.0.1'], issuer: authority });
const image = sampleImage('oci-amd64');

describe('manifix with a certificate', () => {
  const cleanup = new AsyncDisposableStack();
  let registry: RegistryDouble;
  let manifix: Manifix;
  let directory: string;

  /** Replaces both files at once, as tools that renew certificates do. */
  async function install({ certificate, key }: { certificate: string; key: string }): Promise<void> {
    for (const [name, text] of [
      ['tls.crt', certificate],
      ['tls.key', key],
    ] as const) {
      await writeFile(join(directory, `${name}.new`), text);
      await rename(join(directory, `${name}.new`), join(directory, name));
    }
  }

  /** One request, and whether it went over a connection that was there. */
  async function ask(options: RequestOptions): Promise<{ answer: IncomingMessage; body: Buffer; reused: boolean }> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = request(manifix.url, { ca: authority.certificate, agent: false, ...options }, resolve);
    outgoing.once('error', reject).end();
    const answer = await within('the answer', promise);
    return { answer, body: await buffer(answer), reused: outgoing.reusedSocket };
  }

  async function servedName(): Promise<string> {
    const { port } = new URL(manifix.url);
    const socket = connect({ port: Number(port), host: '127.0.0.1', ca: authority.certificate });
    const peer = await within(
      'the handshake',
      new Promise<PeerCertificate>((resolve, reject) => {
        socket.once('secureConnect', () => resolve(socket.getPeerCertificate())).once('error', reject);
      }),
    );
    socket.destroy();
    return String(peer.subject.CN);
  }

  beforeAll(async () => {
    registry = cleanup.use(await startRegistryDouble({ contentKey: () => '' }));
    registry.content.addImage('', 'latest', image);
    const home = cleanup.use(await temporaryDirectory());
    directory = home.path;
    await install(issue('first'));
    const tls = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
    manifix = cleanup.use(
      await startManifix({ config: { upstreams: { only: { url: registry.url } }, tls }, env: { NO_COLOR: '1' } }),
    );
  });
  afterAll(() => cleanup.disposeAsync());

  it('says where it listens, and serves what it serves without', async () => {
    expect(manifix.output()).toMatch(/^listening on https:\/\/127\.0\.0\.1:\d+$/m);
    const headers = { Accept: manifestTypes.join(', ') };
    for (const status of ['fwd=miss', 'hit']) {
      const { answer, body } = await ask({ path: '/v2/app/manifests/latest', headers });
      expect([answer.statusCode, body.equals(image.bytes)]).toEqual([200, true]);
      expect(answer.headers['cache-status']).toContain(status);
    }
    const opened = await ask({ method: 'POST', path: '/v2/app/blobs/uploads/' });
    expect(opened.answer.headers.location).toMatch(new RegExp(`^${manifix.url}/v2/app/blobs/uploads/`));
  });

  it('takes a new certificate into use at SIGHUP, without dropping a connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.certificate });
    await ask({ path: '/v2/', agent });
    await install(issue('second'));
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/the TLS certificate was replaced/);
    expect(await servedName()).toBe('second');
    const { answer, reused } = await ask({ path: '/v2/', agent });
    expect([answer.statusCode, reused]).toEqual([200, true]);
    agent.destroy();
  });

  it('keeps the old certificate while the new one is broken, says so, and finds the repaired one by itself', async () => {
    await install({ ...issue('third'), key: issue('other').key });
    manifix.signal('SIGHUP');
    await manifix.outputMatches(
      /reload: the running configuration stays, because of:\ntls\.key: the file is not the key/,
    );
    expect(await servedName()).toBe('second');
    await install(issue('third'));
    await eventually('the new certificate', async () => (await servedName()) === 'third' || undefined);
  });
});
