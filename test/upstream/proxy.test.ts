import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HttpProxy } from '../../src/domain/http-proxy.ts';
import { createRegistry } from '../../src/upstream/registry.ts';
import { createUpstream, type UpstreamClient, type UpstreamOptions } from '../../src/upstream/upstream.ts';
import { makeCertificate } from '../support/certificate.ts';
import { headerValue } from '../support/headers.ts';
import { startHttpProxy, type TestProxy } from '../support/http-proxy.ts';
import { freePort, listenOnLoopback } from '../support/ports.ts';
import { hang, respond } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const get = { method: 'GET', path: '/v2/x', headers: [['Authorization', 'Bearer registry-token']] } as const;
const REGISTRY = 'http://registry.example.com:5000';

const upstreamThrough = (proxy: HttpProxy, options: Partial<UpstreamOptions> = {}) =>
  createUpstream({ name: 'hub', url: REGISTRY, proxy, ...options });

async function bodyOf(upstream: UpstreamClient): Promise<string> {
  const { body } = await upstream.request(get);
  return (await buffer(body)).toString();
}

/** The error of a request, and everything that may be told of it. */
async function failureOf(upstream: UpstreamClient): Promise<RegistryError & { told: string }> {
  const error = await upstream.request(get).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await upstream.close();
  if (!(error instanceof RegistryError)) throw new Error('the request did not fail', { cause: error });
  const chain = [error.message, error.explanation, String(error.cause), JSON.stringify(error)];
  return Object.assign(error, { told: chain.join('\n') });
}

describe('a registry behind a proxy', () => {
  it('is asked through a tunnel, by the name that only the proxy knows, on connections that are kept', async () => {
    await using registry = await startScriptedUpstream();
    await using proxy = await startHttpProxy({ routes: { 'registry.example.com:5000': registry.host } });
    registry.on('GET', /./, [
      respond(
        200,
        [
          ['X-One', 'a'],
          ['X-One', 'b'],
        ],
        'ok',
      ),
    ]);
    const upstream = upstreamThrough({ origin: proxy.url });
    const { headers, body } = await upstream.request(get);
    expect(headers.filter(([name]) => name === 'X-One')).toHaveLength(2);
    expect((await buffer(body)).toString()).toBe('ok');
    await settled(() => registry.inFlight);
    expect(await bodyOf(upstream)).toBe('ok');
    await upstream.close();
    expect(proxy.tunnels.map(({ target }) => target)).toEqual(['registry.example.com:5000']);
    expect(proxy.tunnels[0]?.headers).toEqual({ host: 'registry.example.com:5000' });
    expect(headerValue(registry.requests[0]?.headers ?? [], 'Host')).toBe('registry.example.com:5000');
    expect(proxy.others).toEqual([]);
  });

  it('never sees the credentials of the proxy, nor the proxy those of the registry', async () => {
    await using registry = await startScriptedUpstream();
    const authorization = `Basic ${Buffer.from('robot:hunter2').toString('base64')}`;
    const routes = { 'registry.example.com:5000': registry.host };
    await using proxy = await startHttpProxy({ routes, authorization });
    registry.on('GET', /./, [respond(200, [], 'ok')]);
    const upstream = upstreamThrough({ origin: proxy.url, login: { username: 'robot', password: 'hunter2' } });
    expect(await bodyOf(upstream)).toBe('ok');
    await upstream.close();
    expect(proxy.tunnels[0]?.headers.authorization).toBeUndefined();
    expect(headerValue(registry.requests[0]?.headers ?? [], 'Proxy-Authorization')).toBeUndefined();
  });

  it('redirects to storage that is asked through it, too, and not to a host of this network', async () => {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    const routes = { 'registry.example.com:5000': registry.host, 'storage.example.net:80': storage.host };
    await using proxy = await startHttpProxy({ routes });
    registry.once('GET', /./, [respond(307, [['Location', 'http://storage.example.net/blob?sig=secret']])]);
    storage.on('GET', /./, [respond(200, [], 'blob')]);
    const upstream = upstreamThrough({ origin: proxy.url });
    expect(await bodyOf(upstream)).toBe('blob');
    expect(headerValue(storage.requests[0]?.headers ?? [], 'Authorization')).toBeUndefined();
    for (const place of ['http://127.0.0.1:80/', 'http://[::1]/', 'http://vault.internal/', 'http://2130706433/']) {
      registry.once('GET', /./, [respond(307, [['Location', place]])]);
      await expect(upstream.request(get)).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 502 });
    }
    await upstream.close();
    expect(new Set(proxy.tunnels.map(({ target }) => target))).toEqual(new Set(Object.keys(routes)));
  });
});

describe('TLS of a registry behind a proxy', () => {
  const authority = makeCertificate({ name: 'authority' });
  const server = makeCertificate({ name: 'registry', hosts: ['registry.example.com'], issuer: authority });
  const client = makeCertificate({ name: 'manifix', issuer: authority });
  const own = makeCertificate({ name: 'proxy', hosts: ['127.0.0.1'], issuer: authority });
  const ca = Buffer.from(authority.certificate);
  const url = 'https://registry.example.com';

  async function startRegistry() {
    const options = { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true };
    const registry = createServer(options, (_, answer) => answer.end('ok'));
    const host = `127.0.0.1:${await listenOnLoopback(registry)}`;
    return { host, [Symbol.dispose]: () => void registry.close().closeAllConnections() };
  }

  it.each(['http', 'https'])(
    'runs inside the tunnel of an %s proxy, with the authority and the certificate of the upstream',
    async (scheme) => {
      using registry = await startRegistry();
      const routes = { 'registry.example.com:443': registry.host };
      await using proxy = await startHttpProxy({ routes, ...(scheme === 'https' && { tls: own }) });
      const shown = { cert: Buffer.from(client.certificate), key: Buffer.from(client.key) };
      const upstream = upstreamThrough({ origin: proxy.url }, { url, tls: { ca, client: shown } });
      expect(await bodyOf(upstream)).toBe('ok');
      await upstream.close();
    },
  );

  it('that is not trusted is told of the registry, and that of the proxy of the proxy', async () => {
    using registry = await startRegistry();
    const routes = { 'registry.example.com:443': registry.host };
    await using plain = await startHttpProxy({ routes });
    const untrusted = await failureOf(upstreamThrough({ origin: plain.url }, { url }));
    expect(untrusted.message).toMatch(
      /^The registry hub \(https:\/\/registry\.example\.com\) has a certificate from an authority/,
    );
    await using secure = await startHttpProxy({ routes, tls: own });
    const failure = await failureOf(upstreamThrough({ origin: secure.url }, { url }));
    expect(failure.message).toContain(`its proxy ${secure.url} has a certificate from an authority`);
    expect(failure.explanation).toContain('set tls.ca of this upstream');
  });

  it('that never begins ends with the time for the connection', async () => {
    const silent = createTcpServer();
    const routes = { 'registry.example.com:443': `127.0.0.1:${await listenOnLoopback(silent)}` };
    await using proxy = await startHttpProxy({ routes });
    const failure = await failureOf(upstreamThrough({ origin: proxy.url }, { url, timeouts: { connect: 2_000 } }));
    expect(failure).toMatchObject({ status: 504 });
    expect(failure.message).toContain('did not accept the connection in time');
    silent.close();
  });
});

describe('a proxy that is in the way is named, with what to do,', () => {
  const login = { username: 'robot', password: 'hunter2' };
  const failureAt = (proxy: TestProxy, withLogin: boolean, connect = 5_000) =>
    failureOf(upstreamThrough({ origin: proxy.url, ...(withLogin && { login }) }, { timeouts: { connect } }));

  it.each([
    [407, false, 'does not let manifix in (407) without a user name and a password', 'Set username and password'],
    [407, true, 'does not let manifix in (407) with the user name and password', 'Set username and password'],
    [403, false, 'refuses a connection to registry.example.com:5000 (403)', 'Allow CONNECT to'],
    [502, false, 'got no connection to registry.example.com:5000 (502)', 'Its log says why.'],
  ])('when it answers %i', async (status, withLogin, reason, remedy) => {
    await using proxy = await startHttpProxy({ routes: {} });
    proxy.broken = status;
    const failure = await failureAt(proxy, withLogin);
    expect(failure.status).toBe(502);
    expect(failure.message).toContain(`could not be reached, because its proxy ${proxy.url} ${reason}`);
    expect(failure.explanation).toContain(remedy);
    expect(failure.told).not.toMatch(/hunter2|secret|cm9ib3Q6aHVudGVyMg/);
  });

  it('when nothing listens there, when it keeps silent, and when it speaks something else', async () => {
    const dead = await failureOf(upstreamThrough({ origin: `http://127.0.0.1:${await freePort()}` }));
    expect([dead.status, dead.message]).toEqual([
      502,
      expect.stringMatching(/its proxy http:\S+ refused the connection/),
    ]);
    await using proxy = await startHttpProxy({ routes: {} });
    proxy.broken = 'silent';
    const silent = await failureAt(proxy, false, 100);
    expect([silent.status, silent.message]).toEqual([
      504,
      expect.stringMatching(/its proxy http:\S+ did not answer in time/),
    ]);
    const other = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const odd = await failureOf(upstreamThrough({ origin: `http://127.0.0.1:${await listenOnLoopback(other)}` }));
    expect([odd.status, odd.message]).toEqual([
      502,
      expect.stringMatching(/its proxy http:\S+ answered with something that is not HTTP/),
    ]);
    other.close();
  });

  it('and counts as an outage of the registry', async () => {
    const registry = createRegistry({
      name: 'hub',
      urls: [REGISTRY],
      proxy: { origin: `http://127.0.0.1:${await freePort()}` },
    });
    await expect(registry.request(get)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(registry.outlook('GET', [])).toMatchObject({ ask: false });
    await registry.close();
  });

  it('but not when the registry is what keeps silent', async () => {
    await using silent = await startScriptedUpstream();
    silent.on('GET', /./, [hang()]);
    await using proxy = await startHttpProxy({ routes: { 'registry.example.com:5000': silent.host } });
    const failure = await failureOf(upstreamThrough({ origin: proxy.url }, { timeouts: { headers: 100 } }));
    expect(failure.status).toBe(504);
    expect(failure.message).not.toContain('proxy');
  });
});
