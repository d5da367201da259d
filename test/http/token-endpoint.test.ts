import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicy, EVERY_REPOSITORY, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import { errorAnswer, type FakeUpstream, fakeUpstream } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { startEdge } from './edge.ts';

const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;

describe('the token endpoint', () => {
  let tokens: TokenServer;

  beforeAll(async () => {
    tokens = await startTokenServer({ users: { user: 'secret' } });
  });
  afterAll(() => tokens.stop());

  /** manifix in front of a registry that sends clients to the token service, or to nowhere. */
  async function start(realm: string | undefined = tokens.realm) {
    const upstream: FakeUpstream = fakeUpstream();
    const refusal = errorAnswer(401, 'UNAUTHORIZED');
    const challenge = ['WWW-Authenticate', `Bearer realm="${realm}",service="${tokens.service}"`] as const;
    if (realm !== '') upstream.on('GET', '/v2/', { ...refusal, headers: [...(refusal.headers ?? []), challenge] });
    const endpoint = { ...fakeEndpoint(upstream), realms: [new URL(tokens.url).origin] };
    const policy = compilePolicy([EVERY_REPOSITORY], ['secret/**' as RepositoryPattern]);
    const routes = createEndpointRoutes([
      { endpoint: { ...endpoint, name: 'hub', libraryPrefix: 'on' }, ns: [], isDefault: true },
      { endpoint: { ...endpoint, name: 'team', policy }, ns: ['team.test'], isDefault: false, prefix: 'team' },
    ]);
    let time = 0;
    const tokenMemory = createTokenMemory({ now: () => time });
    const edge = await startEdge(undefined, {
      endpoints: routes,
      tokens: createTokenEndpoint(
        routes,
        createChallenges(() => time),
        tokenMemory,
      ),
      tokenMemory,
    });
    const pass = (milliseconds: number) => {
      time += milliseconds;
    };
    return { upstream, edge, pass, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
  }
  const lastQuestion = () => tokens.questions.at(-1);

  it.each([
    ['/token?scope=repository:app:pull', ['repository:library/app:pull']],
    ['/token?scope=repository:team/app:pull,push&scope=repository:team/secret/x:pull', ['repository:app:pull,push']],
    ['/token?scope=repository:team/app:pull%20repository:other:pull', ['repository:app:pull']],
    ['/token?scope=repository:alpine:pull&scope=repository:team/app:pull', ['repository:library/alpine:pull']],
    ['/token/team?scope=repository:app:pull', ['repository:app:pull']],
    ['/token?account=user', []],
  ])('asks for %s at the token service of the registry, in its names', async (target, scopes) => {
    await using running = await start();
    const answer = await exchange(running.edge.url, {
      target: `${target}&service=mine`,
      headers: { Authorization: basic },
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString()).token).toMatch(/^eyJ/);
    expect(lastQuestion()).toMatchObject({ method: 'GET', user: 'user', service: tokens.service, scopes });
    expect(running.edge.finished.all).toMatchObject([{ kind: 'token', path: expect.stringMatching(/^\/token[^?]*$/) }]);
  });

  it('asks in the way of OAuth, too, as containerd does', async () => {
    await using running = await start();
    const form = 'grant_type=password&username=user&password=secret&service=mine&scope=repository%3Ateam%2Fapp%3Apull';
    const answer = await exchange(running.edge.url, {
      method: 'POST',
      target: '/token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    expect(answer.status).toBe(200);
    expect(lastQuestion()).toMatchObject({ method: 'POST', user: 'user', scopes: ['repository:app:pull'] });
  });

  it('passes a refusal on', async () => {
    await using running = await start();
    const wrong = `Basic ${Buffer.from('user:guessed').toString('base64')}`;
    const answer = await exchange(running.edge.url, { target: '/token', headers: { Authorization: wrong } });
    expect([answer.status, answer.body.toString()]).toEqual([401, expect.stringContaining('incorrect')]);
  });

  it('learns from the registry where its tokens come from, and remembers it for five minutes', async () => {
    await using running = await start();
    for (const milliseconds of [0, 0, 299_999, 1]) {
      running.pass(milliseconds);
      await exchange(running.edge.url, { target: '/token' });
    }
    expect(running.upstream.asked()).toEqual(['GET /v2/', 'GET /v2/']);
  });

  it('brings credentials to no other place: a foreign realm, or none, gets nothing', async () => {
    const before = tokens.questions.length;
    for (const realm of ['https://auth.evil.example/token', '']) {
      await using running = await start(realm);
      const target = '/token?scope=repository:team/app:pull';
      const answer = await exchange(running.edge.url, { target, headers: { Authorization: basic } });
      expect([answer.status, JSON.parse(answer.body.toString()).token]).toEqual([200, 'anonymous']);
    }
    expect(tokens.questions.length).toBe(before);
  });

  it('knows GET and POST, and no long requests', async () => {
    await using running = await start();
    expect((await exchange(running.edge.url, { method: 'PUT', target: '/token' })).status).toBe(405);
    const long = await exchange(running.edge.url, { method: 'POST', target: '/token', body: 'a'.repeat(70_000) });
    expect(long.status).toBe(413);
    expect((await exchange(running.edge.url, { target: '/tokens' })).status).toBe(404);
  });
});
