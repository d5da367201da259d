import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOwnTokens } from '../../src/auth/own-tokens.ts';
import { openTokenKeys } from '../../src/auth/token-keys.ts';
import { compileRights } from '../../src/domain/rights.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import type { Answer, Guard } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { startEdge } from './edge.ts';
import { allows, knowsByName, login } from './guarded.ts';

const rules = [
  allows('bob', 'pull push list', 'app/**'),
  allows('bob', 'list', 'seen'),
  allows('everybody', 'pull', 'public'),
];

/** Two teams behind prefixes of one host, and an open endpoint for all else. */
async function start({ now = Date.now }: { now?: () => number } = {}) {
  const people = knowsByName();
  const keys = await openTokenKeys(join(tmpdir(), randomUUID(), 'keys.json'), now, () => undefined);
  const guardFor = (endpoint: string, own = rules): Guard => {
    const { issuer, authentication } = createOwnTokens({ endpoint, authentication: people, keys, ttl: 300_000, now });
    return { authentication, tokens: issuer, rights: compileRights(own, {}), challenge: 'bearer' };
  };
  const plain = fakeEndpoint(fakeUpstream());
  const endpoints = createEndpointRoutes([
    { endpoint: { ...plain, name: 'open' }, ns: [], isDefault: true },
    { endpoint: { ...plain, name: 'one', guard: guardFor('one') }, ns: [], isDefault: false, prefix: 'one' },
    { endpoint: { ...plain, name: 'two', guard: guardFor('two') }, ns: [], isDefault: false, prefix: 'two' },
  ]);
  const tokenMemory = createTokenMemory();
  const empty: Answer = { status: 200, headers: [], body: { kind: 'bytes', bytes: Buffer.from('{}') } };
  const edge = await startEdge(async () => empty, {
    endpoints,
    tokenMemory,
    tokens: createTokenEndpoint(endpoints, createChallenges(now), tokenMemory),
  });
  const get = async (query: string, user?: string) => {
    const headers = user === undefined ? {} : { Authorization: login(user) };
    const { status, body, header } = await exchange(edge.url, { target: `/token?${query}`, headers });
    return { status, document: JSON.parse(body.toString()), header };
  };
  const post = async (form: Readonly<Record<string, string>>) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(form).toString();
    const answer = await exchange(edge.url, { method: 'POST', target: '/token', headers, body });
    return { status: answer.status, document: JSON.parse(answer.body.toString()) };
  };
  const ask = async (method: string, path: string, token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return (await exchange(edge.url, { method, target: `/v2/${path}`, headers })).status;
  };
  return { edge, people, get, post, ask, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('the token service of an endpoint', () => {
  it('grants of what is asked for what the rights allow, in the names of the client', async () => {
    await using service = await start();
    const scopes = ['one/app/x:pull,push,delete', 'one/other:pull', 'one/seen:pull', 'two/app/x:pull', 'one/app/y:*'];
    const query = scopes.map((scope) => `scope=repository:${scope}`).join('&');
    const { status, document, header } = await service.get(`service=one&${query}`, 'bob');
    expect([status, header('Cache-Control')]).toEqual([200, 'no-store']);
    expect(document).toMatchObject({ token: document.access_token, expires_in: 300 });
    expect(document).not.toHaveProperty('refresh_token');
    expect(claimsOf(document.token)).toMatchObject({
      iss: 'manifix',
      aud: 'one',
      sub: 'bob',
      access: [
        { type: 'repository', name: 'one/app/x', actions: ['pull', 'push'] },
        { type: 'repository', name: 'one/seen', actions: ['pull'] },
        { type: 'repository', name: 'one/app/y', actions: ['pull', 'push'] },
      ],
    });
  });

  it('gives tokens that are good for what they were given out for, and at their endpoint', async () => {
    await using service = await start();
    const { document } = await service.get('scope=repository:one/app/x:pull', 'bob');
    expect(await service.ask('GET', 'one/app/x/manifests/1', document.token)).toBe(200);
    expect(await service.ask('GET', 'one/app/x/tags/list', document.token)).toBe(200);
    expect(await service.ask('PUT', 'one/app/x/manifests/1', document.token)).toBe(401);
    expect(await service.ask('GET', 'one/app/y/manifests/1', document.token)).toBe(401);
    expect(await service.ask('GET', 'two/app/x/manifests/1', document.token)).toBe(401);
    const catalog = await service.get('service=one&scope=registry:catalog:*&scope=repository:one/app:pull', 'bob');
    expect(await service.ask('GET', 'one/_catalog', catalog.document.token)).toBe(200);
    expect(await service.ask('GET', 'one/_catalog', document.token)).toBe(401);
  });

  it('gives tokens to whoever has no credentials, for what everybody may have', async () => {
    await using service = await start();
    const { document } = await service.get('scope=repository:one/public:pull,push&scope=repository:one/app/x:pull');
    expect(claimsOf(document.token)).toMatchObject({ access: [{ name: 'one/public', actions: ['pull'] }] });
    expect(await service.ask('GET', 'one/public/manifests/1', document.token)).toBe(200);
    expect(await service.ask('GET', 'one/app/x/manifests/1', document.token)).toBe(401);
    expect(await service.ask('GET', '', document.token)).toBe(401);
  });

  it('is told of in the log and the usage by endpoint and user, also when the password is wrong', async () => {
    await using service = await start();
    await service.get('scope=repository:two/app/x:pull', 'bob');
    await service.get('scope=repository:one/public:pull');
    const headers = { Authorization: login('bob', 'wrong') };
    await exchange(service.edge.url, { target: '/token?scope=repository:one/app:pull', headers });
    expect(service.edge.finished.all.map(({ kind, endpoint, user, status }) => [kind, endpoint, user, status])).toEqual(
      [
        ['token', 'two', 'bob', 200],
        ['token', 'one', undefined, 200],
        ['token', 'one', undefined, 401],
      ],
    );
  });

  it('refuses wrong credentials', async () => {
    await using service = await start();
    const { status, header } = await exchange(service.edge.url, {
      target: '/token?service=one',
      headers: { Authorization: login('bob', 'wrong') },
    });
    expect([status, header('WWW-Authenticate')]).toEqual([401, 'Basic realm="manifix"']);
  });

  it('knows the two grants of OAuth 2', async () => {
    await using service = await start();
    const scope = 'repository:one/app/x:pull,push';
    const login = {
      grant_type: 'password',
      username: 'bob',
      password: 'bob',
      service: 'one',
      client_id: 'test',
      scope,
    };
    const { document } = await service.post({ ...login, access_type: 'offline' });
    expect(document).toMatchObject({ token_type: 'Bearer', scope });
    expect(await service.ask('PUT', 'one/app/x/manifests/1', document.access_token)).toBe(200);
    const renew = (token: string, more = {}) =>
      service.post({ grant_type: 'refresh_token', refresh_token: token, service: 'one', scope, ...more });
    const renewed = await renew(document.refresh_token);
    expect(renewed.document.refresh_token).toBe(document.refresh_token);
    expect(await service.ask('PUT', 'one/app/x/manifests/1', renewed.document.access_token)).toBe(200);
    expect((await renew(document.access_token)).status).toBe(401);
    expect((await renew(document.refresh_token, { scope: 'repository:two/app/x:pull' })).status).toBe(401);
    expect(await service.ask('GET', 'one/app/x/manifests/1', document.refresh_token)).toBe(401);
    expect((await service.post(login)).document).not.toHaveProperty('refresh_token');
    expect((await service.post({ ...login, password: 'x' })).status).toBe(401);
    expect((await service.post({ ...login, username: 'bob:bob', password: '' })).status).toBe(401);
    expect((await service.post({ grant_type: 'client_credentials', scope })).status).toBe(400);
  });

  it('ends tokens in time, and those of a user who is gone within ten seconds', async () => {
    let time = Date.now();
    await using service = await start({ now: () => time });
    const fetch = async () => (await service.get('scope=repository:one/app/x:pull', 'bob')).document.token;
    const [token, refresh] = [
      await fetch(),
      await service.post({
        grant_type: 'password',
        username: 'bob',
        password: 'bob',
        access_type: 'offline',
        service: 'one',
      }),
    ];
    const pull = () => service.ask('GET', 'one/app/x/manifests/1', token);
    expect(await pull()).toBe(200);
    service.people.gone.add('bob');
    time += 11_000;
    expect(await pull()).toBe(401);
    const form = { grant_type: 'refresh_token', refresh_token: refresh.document.refresh_token, service: 'one' };
    expect((await service.post(form)).status).toBe(401);
    service.people.gone.clear();
    expect(await pull()).toBe(200);
    time += 300_000;
    expect(await pull()).toBe(401);
  });

  it('refuses more scopes than an image has', async () => {
    await using service = await start();
    const scope = Array.from({ length: 101 }, (_, at) => `repository:one/app/${at}:pull`).join(' ');
    expect((await service.get(`scope=${encodeURIComponent(scope)}`, 'bob')).status).toBe(400);
  });
});

describe('a host that teams share by prefixes', () => {
  it('asks for credentials at /v2/, and knows the users of all of them', async () => {
    await using service = await start();
    const asked = await exchange(service.edge.url, { target: '/v2/' });
    expect([asked.status, asked.header('WWW-Authenticate')]).toEqual([
      401,
      `Bearer realm="${service.edge.url}/token",service="one"`,
    ]);
    const { document } = await service.get('service=one', 'bob');
    expect(await service.ask('GET', '', document.token)).toBe(200);
    const headers = { Authorization: login('bob') };
    expect((await exchange(service.edge.url, { target: '/v2/', headers })).status).toBe(200);
    expect(service.edge.exchanges.map(({ principal }) => principal.user)).toEqual(['bob', 'bob']);
  });

  it('takes what it does not know to the registry of the open endpoint', async () => {
    await using service = await start();
    const headers = { Authorization: login('bob', 'elsewhere') };
    expect((await exchange(service.edge.url, { target: '/v2/', headers })).status).toBe(200);
    expect(service.edge.exchanges).toMatchObject([{ endpoint: { name: 'open' }, principal: { method: 'anonymous' } }]);
    expect(await service.ask('GET', 'library/alpine/manifests/1')).toBe(200);
  });
});
