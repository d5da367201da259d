import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { isRedirect, mayFollow, redirectTarget } from '../../src/upstream/redirects.ts';
import type { HopAnswer } from '../../src/upstream/send.ts';
import { createUpstream } from '../../src/upstream/upstream.ts';
import { headerValue } from '../support/headers.ts';
import { hang, head, respond, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const CREDENTIALS = [
  ['Authorization', 'Bearer secret'],
  ['Cookie', 'session=secret'],
  ['X-JFrog-Art-Api', 'secret'],
  ['Range', 'bytes=5-'],
] as const;

describe('F20: a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i to another port is followed without credentials', async (status) => {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    registry.on('GET', /./, [respond(status, [['Location', `${storage.url}/blob?X-Amz-Signature=a%2Fb`]], 'moved')]);
    storage.on('GET', /./, [respond(206, [], 'bytes')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/x', headers: CREDENTIALS });
    expect(answer).toMatchObject({ status: 206, redirected: true });
    expect((await buffer(answer.body)).toString()).toBe('bytes');
    const [arrived] = storage.requests;
    expect(arrived?.target).toBe('/blob?X-Amz-Signature=a%2Fb');
    expect(headerValue(arrived?.headers ?? [], 'authorization')).toBeUndefined();
    expect(headerValue(arrived?.headers ?? [], 'cookie')).toBeUndefined();
    expect(headerValue(arrived?.headers ?? [], 'x-jfrog-art-api')).toBeUndefined();
    expect(headerValue(arrived?.headers ?? [], 'range')).toBe('bytes=5-');
    expect(headerValue(arrived?.headers ?? [], 'host')).toBe(storage.host);
    await upstream.close();
  });

  it('that comes back to the registry does not bring the credentials back', async () => {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    registry.once('GET', /^\/v2\//, [respond(307, [['Location', `${storage.url}/there`]])]);
    storage.on('GET', /./, [respond(307, [['Location', `${registry.url}/back`]])]);
    registry.on('GET', /^\/back$/, [respond(200)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await upstream.request({ method: 'GET', path: '/v2/x', headers: CREDENTIALS });
    const back = registry.requests.find(({ target }) => target === '/back');
    expect(headerValue(back?.headers ?? [], 'authorization')).toBeUndefined();
    await upstream.close();
  });

  it.each([
    ['/v2/y?z=1', '/v2/y?z=1'],
    ['y', '/v2/y'],
    ['?n=1', '/v2/x?n=1'],
  ])('with the relative Location %s stays on the origin and keeps the credentials', async (location, target) => {
    await using registry = await startScriptedUpstream();
    registry.once('HEAD', /./, [respond(301, [['Location', location]])]);
    registry.on('HEAD', /./, [respond(200)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'HEAD', path: '/v2/x', headers: CREDENTIALS });
    expect(answer).toMatchObject({ status: 200, redirected: true });
    expect(registry.requests[1]).toMatchObject({ method: 'HEAD', target });
    expect(headerValue(registry.requests[1]?.headers ?? [], 'authorization')).toBe('Bearer secret');
    await upstream.close();
  });

  it('is given back as it is when the caller asks for that, and for methods that change something', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(307, [['Location', '/other']])]);
    registry.on('POST', /./, [respond(307, [['Location', '/other']])]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const passed = await upstream.request({ method: 'GET', path: '/v2/', headers: [], redirects: 'pass' });
    const posted = await upstream.request({ method: 'POST', path: '/v2/', headers: [] });
    expect(passed).toMatchObject({ status: 307, redirected: false });
    expect(posted).toMatchObject({ status: 307, redirected: false });
    expect(registry.requests.length).toBe(2);
    await upstream.close();
  });

  it('with a long or endless body is followed at once and its connection is closed', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [
      head(302, ['Location: /there', 'Content-Length: 10000000']),
      send(Buffer.alloc(1_000_000)),
      hang(),
    ]);
    registry.on('GET', /there/, [respond(200, [], 'there')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
    expect((await buffer(answer.body)).toString()).toBe('there');
    await registry.connectionClosed(1);
    await upstream.close();
  });

  it('with a short body leaves its connection for the next request', async () => {
    await using registry = await startScriptedUpstream();
    registry.once('GET', /./, [respond(302, [['Location', '/there']], '<html>moved</html>')]);
    registry.on('GET', /there/, [respond(200)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const ask = async () => {
      const { body } = await upstream.request({ method: 'GET', path: '/there', headers: [] });
      await buffer(body);
    };
    await ask();
    await ask();
    expect(registry.connections.length).toBeLessThanOrEqual(2);
    expect(registry.requests.length).toBe(3);
    await upstream.close();
  });

  it('to a place that refuses connections names that place and not the signed query', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('GET', /./, [respond(307, [['Location', 'http://127.0.0.1:1/blob?sig=secret']])]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const error = await upstream.request({ method: 'GET', path: '/v2/', headers: [] }).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 502 });
    expect(error.message).toBe('http://127.0.0.1:1, to which the registry hub redirects, refused the connection');
    await upstream.close();
  });
});

describe('F18: redirects without an end', () => {
  it('in a circle end after five with an explanation', async () => {
    await using registry = await startScriptedUpstream();
    await using other = await startScriptedUpstream();
    registry.on('GET', /./, [respond(302, [['Location', `${other.url}/b?token=secret`]])]);
    other.on('GET', /./, [respond(302, [['Location', `${registry.url}/a`]])]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const error = await upstream.request({ method: 'GET', path: '/v2/', headers: [] }).catch((reason) => reason);
    expect(error).toBeInstanceOf(RegistryError);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 502, fix: 'redirect-auth-leak-400' });
    expect(error.explanation).toMatch(/redirected more than 5 times.*circle/);
    expect(error.explanation).not.toContain('secret');
    expect(registry.requests.length + other.requests.length).toBe(6);
    await upstream.close();
  });

  it.each([
    ['to the same URL', () => '/v2/'],
    ['to ever new ones', (time: number) => `/hop/${time}`],
  ])('%s end after five, too', async (_, next) => {
    await using registry = await startScriptedUpstream();
    let time = 0;
    registry.on('GET', /./, [
      (context) => {
        time += 1;
        return respond(307, [['Location', next(time)]])(context);
      },
    ]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    await expect(upstream.request({ method: 'GET', path: '/v2/', headers: [] })).rejects.toMatchObject({ status: 502 });
    expect(registry.requests.length).toBe(6);
    await upstream.close();
  });
});

describe('a HEAD that storage refuses', () => {
  async function probe(probeStorage: boolean, contentRange = 'Content-Range: bytes 0-0/1234') {
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    registry.on('HEAD', /./, [respond(307, [['Location', `${storage.url}/blob?sig=1`]])]);
    storage.on('HEAD', /./, [respond(403)]);
    storage.on('GET', /./, [head(206, [contentRange, 'Content-Length: 1']), send('x')]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'HEAD', path: '/v2/x', headers: CREDENTIALS, probeStorage });
    await upstream.close();
    return { answer, asked: storage.requests };
  }

  it('is sent there as a GET of the first byte, and answered as the HEAD', async () => {
    const { answer, asked } = await probe(true);
    expect(answer).toMatchObject({ status: 200, redirected: true, probed: true });
    expect(headerValue(answer.headers, 'Content-Length')).toBe('1234');
    expect(headerValue(answer.headers, 'Content-Range')).toBeUndefined();
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
    expect(headerValue(asked[1]?.headers ?? [], 'Range')).toBe('bytes=0-0');
    expect(headerValue(asked[1]?.headers ?? [], 'Authorization')).toBeUndefined();
  });

  it('stays refused where that is not wanted', async () => {
    const { answer, asked } = await probe(false);
    expect([answer.status, asked.length]).toEqual([403, 1]);
  });

  it('of the registry itself stays refused', async () => {
    await using registry = await startScriptedUpstream();
    registry.on('HEAD', /./, [respond(403)]);
    const upstream = createUpstream({ name: 'hub', url: registry.url });
    const answer = await upstream.request({ method: 'HEAD', path: '/v2/x', headers: [], probeStorage: true });
    expect([answer.status, answer.probed, registry.requests.length]).toEqual([403, undefined, 1]);
    await upstream.close();
  });
});

describe('F21: the target of a redirect', () => {
  const hop = { origin: 'https://hub.example', path: '/v2/x', method: 'GET', headers: CREDENTIALS };
  const answered = (location?: string): HopAnswer => ({
    status: 302,
    headers: location === undefined ? [] : [['Location', location]],
    // Never read here.
    body: undefined as never,
  });

  it.each([
    ['http://other.example/v2/x', /give up encryption/],
    ['http://hub.example:8080/v2/x', /give up encryption/],
    ['ftp://hub.example/x', /ftp: URL/],
    ['javascript:alert(1)', /javascript: URL/],
    ['file:///etc/passwd', /file: URL/],
    ['https://', /without a Location/],
    ['http://[::1', /without a Location/],
    [undefined, /without a Location/],
  ])('%s is refused', (location, explanation) => {
    expect(() => redirectTarget('The registry', hop, answered(location), () => true)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', status: 502, explanation: expect.stringMatching(explanation) }),
    );
  });

  it.each([
    ['https://hub.example:443/v2/y', true],
    ['//hub.example/v2/y', true],
    ['HTTPS://HUB.example/v2/y', true],
    ['https://user:password@hub.example/v2/y', true],
    ['https://hub.example:444/v2/y', false],
    ['https://hub.example.evil/v2/y', false],
    ['https://hub.example@evil/v2/y', false],
    ['https://hub.example\\@evil/v2/y', true],
    ['//evil/v2/y', false],
    ['/\\evil/v2/y', false],
  ])('%s keeps credentials: %s', (location, kept) => {
    const target = redirectTarget('The registry', hop, answered(location), () => true);
    expect(headerValue(target.headers, 'authorization') !== undefined).toBe(kept);
    expect(target.origin === hop.origin).toBe(kept);
  });

  it('stays with a registry that does not know of the TLS in front of it', () => {
    const target = redirectTarget('The registry', hop, answered('http://hub.example/v2/x/tags/list?n=1'), () => true);
    expect(target).toEqual({ ...hop, path: '/v2/x/tags/list?n=1' });
  });

  it.each([
    ['own', '/v2/y', true],
    ['own', 'http://hub.example/v2/y', true],
    ['own', 'https://storage.example/y', false],
    ['own', 'http://hub.example:8080/v2/y', false],
    ['own', undefined, true],
    ['own', 'http://[::1', false],
    ['follow', 'https://storage.example/y', true],
    ['pass', '/v2/y', false],
  ] as const)('%s: %s is followed: %s', (redirects, location, followed) => {
    expect(mayFollow(redirects, hop, answered(location))).toBe(followed);
  });

  it('does not lead to a host that the registry has no business with', () => {
    expect(() => redirectTarget('The registry', hop, answered('https://169.254.169.254/latest'), () => false)).toThrow(
      expect.objectContaining({
        status: 502,
        explanation: expect.stringContaining('internal address 169.254.169.254'),
      }),
    );
  });

  it('is only looked at for statuses that redirect', () => {
    expect([300, 304, 305, 306, 200, 404].some((status) => isRedirect('GET', { ...answered('/'), status }))).toBe(
      false,
    );
  });
});
