import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOwnTokens } from '../../src/auth/own-tokens.ts';
import { openTokenKeys } from '../../src/auth/token-keys.ts';
import type { Authentication } from '../../src/domain/authentication.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { compileRights } from '../../src/domain/rights.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import { errorAnswer, fakeUpstream } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { startEdge } from './edge.ts';
import { allows, knowsByName, login } from './guarded.ts';

const scope = 'repository:public/x:pull';
let service: TokenServer;

beforeAll(async () => {
  service = await startTokenServer({ users: { hubert: 'secret' } });
});
afterAll(() => service.stop());

/** An open endpoint whose registry decides for each client, and a team's own at the same address. */
async function start(people: Authentication = knowsByName()) {
  const upstream = fakeUpstream();
  const refusal = errorAnswer(401, 'UNAUTHORIZED');
  const challenge = ['WWW-Authenticate', `Bearer realm="${service.realm}",service="${service.service}"`] as const;
  upstream.on('GET', '/v2/', { ...refusal, headers: [...(refusal.headers ?? []), challenge] });
  const open = { ...fakeEndpoint(upstream), name: 'open', realms: [new URL(service.url).origin] };
  const keys = await openTokenKeys(join(tmpdir(), randomUUID(), 'keys.json'), Date.now, () => undefined);
  const { issuer, authentication } = createOwnTokens({
    ...{ endpoint: 'team', authentication: people, keys, ttl: 300_000 },
    now: Date.now,
  });
  const rights = compileRights([allows('bob', 'pull push', 'app')], {});
  const guard = { authentication, tokens: issuer, rights, challenge: 'bearer' } as const;
  const endpoints = createEndpointRoutes([
    { endpoint: open, ns: [], isDefault: true },
    { endpoint: { ...open, name: 'team', guard }, ns: [], isDefault: false, prefix: 'team' },
  ]);
  const tokenMemory = createTokenMemory();
  const edge = await startEdge(undefined, {
    endpoints,
    tokenMemory,
    tokens: createTokenEndpoint(endpoints, createChallenges(Date.now), tokenMemory),
  });
  const post = async (form: Readonly<Record<string, string>>) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(form).toString();
    const answer = await exchange(edge.url, { method: 'POST', target: '/token', headers, body });
    return JSON.parse(answer.body.toString());
  };
  const get = async (target: string, authorization: string) =>
    JSON.parse(
      (await exchange(edge.url, { target, headers: { Authorization: authorization } })).body.toString() || '{}',
    );
  /** What the registry would be shown with a pull from the open endpoint. */
  const shownWith = async (authorization: string) => {
    await exchange(edge.url, { target: '/v2/public/x/manifests/1', headers: { Authorization: authorization } });
    const { request, caller } = edge.exchanges.at(-1) ?? {};
    const sent = [...(request?.headers ?? []), ...(request?.clientHeaders ?? [])];
    return { isShown: sent.some(([name]) => name.toLowerCase() === 'authorization'), anonymous: caller?.anonymous };
  };
  return { get, post, shownWith, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
}

const nobody = { isShown: false, anonymous: true };
const somebody = { isShown: true, anonymous: false };
const tooMany: Authentication = {
  authenticate: async () => ({ refused: new RegistryError('TOOMANYREQUESTS') }),
  holds: () => false,
};

describe('at an open endpoint beside that of a team', () => {
  const asked = () => service.questions.map(({ method, user, scopes }) => ({ method, user, scopes }));
  let before = 0;
  beforeEach(() => {
    before = service.questions.length;
  });

  it('passwords of the team never reach the registry, others do', async () => {
    await using running = await start();
    expect(await running.shownWith(login('bob'))).toEqual(nobody);
    expect(await running.shownWith(login('hubert', 'secret'))).toEqual(somebody);
  });

  it('tokens of the team never reach the registry, others do', async () => {
    await using running = await start();
    const { token } = await running.get('/token?scope=repository:team/app:pull', login('bob'));
    expect(await running.shownWith(`Bearer ${token}`)).toEqual(nobody);
    expect(await running.shownWith('Bearer of-the-registry')).toEqual(somebody);
  });

  it('passwords that cannot be checked now do not reach the registry', async () => {
    await using running = await start(tooMany);
    expect(await running.shownWith(login('bob'))).toEqual(nobody);
  });

  it('its token service is asked as nobody for users of the team, and as themselves for others', async () => {
    await using running = await start();
    const form = { service: 'mine', scope };
    const { refresh_token: refresh } = await running.post({
      ...{ grant_type: 'password', username: 'bob', password: 'bob', access_type: 'offline' },
      scope: 'repository:team/app:pull',
    });
    const target = `/token?account=bob&scope=${scope}`;
    for (const answer of [
      await running.get(target, login('bob')),
      await running.post({ ...form, grant_type: 'password', username: 'bob', password: 'bob' }),
      await running.post({ ...form, grant_type: 'refresh_token', refresh_token: refresh }),
    ]) {
      expect(answer.access_token).toMatch(/^eyJ/);
    }
    await running.get(target, login('hubert', 'secret'));
    await running.post({ ...form, grant_type: 'password', username: 'hubert', password: 'secret' });
    expect(asked().slice(before)).toEqual([
      ...Array.from({ length: 3 }, () => ({ method: 'GET', user: '', scopes: [scope] })),
      { method: 'GET', user: 'hubert', scopes: [scope] },
      { method: 'POST', user: 'hubert', scopes: [scope] },
    ]);
  });
});
