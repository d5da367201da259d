import { rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { within } from '../support/deadline.ts';
import { manifestTypes, sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const served = makeCertificate({ name: 'manifix', hosts: ['127.0.0.1'] });
const [authority, other] = ['clients', 'others'].map((name) => makeCertificate({ name }));
const image = sampleImage('oci-amd64');

describe('clients with certificates', () => {
  const cleanup = new AsyncDisposableStack();
  let registry: RegistryDouble;
  let manifix: Manifix;
  let directory: string;

  const agentOf = (client?: Certificate) =>
    cleanup.adopt(
      new Agent({
        keepAlive: true,
        maxSockets: 1,
        ca: served.certificate,
        ...(client && { cert: client.certificate, key: client.key }),
      }),
      (agent) => agent.destroy(),
    );

  /** The status of a pull on a connection of the agent. */
  async function pull(agent: Agent, { url } = manifix): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { Accept: manifestTypes.join(', ') };
    request(`${url}/v2/app/manifests/latest`, { agent, headers }, resolve).once('error', reject).end();
    const answer = await within('the answer', promise);
    await buffer(answer);
    return answer.statusCode;
  }

  async function install(name: string, content: string | undefined): Promise<void> {
    await writeFile(join(directory, `${name}.new`), content ?? '');
    await rename(join(directory, `${name}.new`), join(directory, name));
  }

  beforeAll(async () => {
    registry = cleanup.use(await startRegistryDouble());
    registry.content.addImage('app', 'latest', image);
    directory = cleanup.use(await temporaryDirectory()).path;
    await install('tls.crt', served.certificate);
    await install('tls.key', served.key);
    await install('clients.crt', authority?.certificate);
    manifix = cleanup.use(
      await startManifix({
        config: {
          tls: {
            cert: join(directory, 'tls.crt'),
            key: join(directory, 'tls.key'),
            clientAuthorities: join(directory, 'clients.crt'),
          },
          upstreams: { hub: { url: registry.url, credentials: 'none' } },
          endpoints: [
            {
              name: 'team',
              auth: { certificates: true },
              rights: [{ who: ['cert:builder'], allow: ['pull'], repositories: ['**'] }],
            },
          ],
        },
      }),
    );
  });
  afterAll(() => cleanup.disposeAsync());

  it('are who an authority says they are, and answers for one are not given to others', async () => {
    const issue = (name: string, issuer = authority) => makeCertificate({ name, ...(issuer && { issuer }) });
    const [builder, stranger, liar, nobody] = [
      agentOf(issue('builder')),
      agentOf(issue('stranger')),
      agentOf(issue('builder', other)),
      agentOf(),
    ];
    // Twice, because an answer may be given again.
    for (const _ of [1, 2]) {
      expect(await pull(builder)).toBe(200);
      expect([await pull(stranger), await pull(liar), await pull(nobody)]).toEqual([404, 401, 401]);
    }
  });

  it('count no more as soon as their authority does not, on open connections too', async () => {
    const builder = makeCertificate({ name: 'builder', ...(authority && { issuer: authority }) });
    const agent = agentOf(builder);
    expect(await pull(agent)).toBe(200);
    await install('clients.crt', other?.certificate);
    manifix.signal('SIGHUP');
    await manifix.outputMatches(/the TLS certificate was replaced/);
    expect([await pull(agent), await pull(agentOf(builder))]).toEqual([401, 401]);
    const renewed = makeCertificate({ name: 'builder', ...(other && { issuer: other }) });
    expect(await pull(agentOf(renewed))).toBe(200);
  });

  it('are asked for them as soon as a reload names authorities, and until it names none', async () => {
    const file = join(directory, 'turned.yaml');
    const configure = (tls: object, auth: object) =>
      writeFile(
        file,
        stringify({
          tls: { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key'), ...tls },
          upstreams: { hub: { url: registry.url, credentials: 'none' } },
          endpoints: [{ auth, rights: [{ who: ['authenticated'], allow: ['pull'], repositories: ['**'] }] }],
        }),
      );
    await install('turned.crt', other?.certificate);
    await configure({}, { tokens: true });
    await using own = await startManifix({ args: ['--config', file] });
    const builder = makeCertificate({ name: 'builder', ...(other && { issuer: other }) });
    const [before, during, after] = [agentOf(builder), agentOf(builder), agentOf(builder)];
    expect(await pull(before, own)).toBe(401);
    await configure({ clientAuthorities: join(directory, 'turned.crt') }, { tokens: true, certificates: true });
    own.signal('SIGHUP');
    await own.outputMatches(/^reload: done$/m);
    expect([await pull(during, own), await pull(before, own)]).toEqual([200, 401]);
    await configure({}, { tokens: true });
    own.signal('SIGHUP');
    await own.outputMatches(/(?:^reload: done$[\s\S]*){2}/m);
    expect([await pull(during, own), await pull(after, own)]).toEqual([401, 401]);
  });
});
