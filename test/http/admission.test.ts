import { describe, expect, it } from 'vitest';
import { compilePolicy, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import type { Answer, Guard } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { type RunningEdge, startEdge } from './edge.ts';
import { allows, denies, guardOf, knowsByName, login } from './guarded.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const rules = [
  denies('bob', 'push', 'app/frozen'),
  allows('bob', 'pull push list', 'app/**'),
  allows('bob', 'push', 'inbox'),
  allows('bob', 'delete', 'app/old'),
  allows('everybody', 'pull', 'public/**'),
  allows('ann', 'list pull', 'app/a', 'hidden'),
];

/** What every request is answered that gets through. */
const through: Answer = {
  status: 200,
  headers: [['Content-Length', '2']],
  body: { kind: 'bytes', bytes: Buffer.from('{}') },
};

function start(guard: Guard = guardOf(rules), answer = through): Promise<RunningEdge> {
  const policy = compilePolicy(['**' as RepositoryPattern], ['hidden' as RepositoryPattern]);
  const endpoint = { ...fakeEndpoint(fakeUpstream()), name: 'team', policy, guard };
  return startEdge(async () => answer, {
    endpoints: createEndpointRoutes([{ endpoint, ns: [], isDefault: true, prefix: 't' }]),
  });
}

const as = (user: string | undefined) => (user === undefined ? {} : { Authorization: login(user) });
const errorOf = ({ body }: HttpAnswer) => JSON.parse(body.toString()).errors[0];
/** An answer without the date, which always differs. */
const whole = ({ status, headers, body }: HttpAnswer) => ({
  status,
  headers: headers.filter(([name]) => name !== 'Date'),
  body: body.toString(),
});

describe('a request to an endpoint with rights', () => {
  it.each([
    ['bob', 'GET', 't/app/x/manifests/1', 200],
    ['bob', 'HEAD', `t/app/x/blobs/${digest}`, 200],
    ['bob', 'GET', 't/app/x/tags/list', 200],
    ['bob', 'GET', `t/app/x/referrers/${digest}`, 200],
    ['bob', 'PUT', 't/app/x/manifests/1', 200],
    ['bob', 'POST', 't/app/x/blobs/uploads/', 200],
    ['bob', 'PATCH', 't/app/x/blobs/uploads/1', 200],
    ['bob', 'GET', 't/app/x/blobs/uploads/1', 200],
    ['bob', 'DELETE', 't/app/x/blobs/uploads/1', 200],
    ['bob', 'DELETE', 't/app/old/manifests/1', 200],
    ['bob', 'GET', 't/app/x/_oras/ext', 200],
    ['bob', 'POST', 't/inbox/blobs/uploads/', 200],
    ['bob', 'GET', 't/public/x/manifests/1', 200],
    [undefined, 'GET', 't/public/x/manifests/1', 200],
    ['bob', 'GET', '', 200],
    ['bob', 'PUT', 't/app/frozen/manifests/1', 403],
    ['bob', 'DELETE', 't/app/x/manifests/1', 403],
    ['bob', 'DELETE', `t/app/x/blobs/${digest}`, 403],
    ['bob', 'GET', 't/public/x/tags/list', 403],
    ['bob', 'DELETE', 't/app/x/tags/list', 403],
    ['ann', 'PUT', 't/app/a/tags/list', 403],
    ['bob', 'DELETE', 't/_catalog', 403],
    ['bob', 'POST', '', 404],
    ['bob', 'OPTIONS', '', 200],
    ['bob', 'PUT', 't/app/x/_oras/ext', 200],
    ['ann', 'POST', 't/app/a/_oras/ext', 403],
    ['bob', 'GET', 't/inbox/manifests/1', 404],
    ['bob', 'HEAD', `t/inbox/blobs/${digest}`, 404],
    ['bob', 'GET', 't/other/manifests/1', 404],
    ['bob', 'POST', 't/other/blobs/uploads/', 404],
    ['bob', 'PATCH', 't/other/blobs/uploads/1', 404],
    ['bob', 'GET', `t/other/referrers/${digest}`, 404],
    ['bob', 'GET', 't/other/_oras/ext', 404],
    ['bob', 'GET', 't/_zot/ext', 404],
    ['ann', 'GET', 't/hidden/manifests/1', 404],
    [undefined, 'GET', '', 401],
    [undefined, 'GET', 't/app/x/manifests/1', 401],
    [undefined, 'GET', 't/_catalog', 401],
    [undefined, 'GET', 't/public/x/tags/list', 401],
    [undefined, 'PUT', 't/public/x/manifests/1', 401],
    [undefined, 'GET', 't/hidden/manifests/1', 401],
  ])('of %s for %s /v2/%s is answered %i', async (user, method, path, status) => {
    await using edge = await start();
    const answer = await exchange(edge.url, { method, target: `/v2/${path}`, headers: as(user) });
    expect(answer.status).toBe(status);
    expect(edge.exchanges).toHaveLength(status === 200 ? 1 : 0);
    expect(edge.finished.all).toMatchObject([{ endpoint: 'team', status, ...(user === undefined ? {} : { user }) }]);
    expect(edge.finished.all[0]?.user).toBe(user);
  });

  it('is told what it may not, once it may pull', async () => {
    await using edge = await start();
    const target = '/v2/t/app/frozen/manifests/1';
    const refused = await exchange(edge.url, { method: 'PUT', target, headers: as('bob') });
    expect(errorOf(refused)).toEqual({
      code: 'DENIED',
      message: 'requested access to the resource is denied',
      detail: {
        name: 't/app/frozen',
        action: 'push',
        manifix:
          'The rights of the endpoint "team" do not let "bob" push to "t/app/frozen". Whoever runs manifix can change them.',
      },
    });
  });

  it('cannot tell a repository that is denied from one that is not served', async () => {
    await using edge = await start();
    for (const [method, rest] of [
      ['GET', 'manifests/1'],
      ['PUT', 'manifests/1'],
      ['GET', `blobs/${digest}`],
      ['GET', 'tags/list'],
      ['POST', 'blobs/uploads/'],
    ] as const) {
      const [denied, unserved] = [
        await exchange(edge.url, { method, target: `/v2/t/other1/${rest}`, headers: as('ann') }),
        await exchange(edge.url, { method, target: `/v2/t/hidden/${rest}`, headers: as('ann') }),
      ];
      expect(JSON.stringify(whole(denied)).replaceAll('other1', 'hidden')).toBe(JSON.stringify(whole(unserved)));
    }
    expect(edge.exchanges).toEqual([]);
  });

  it('without credentials gets the same challenge for every repository', async () => {
    await using edge = await start();
    const challenges = new Set<string>();
    for (const name of ['app/x', 'hidden', 'other', 'inbox']) {
      const answer = await exchange(edge.url, { target: `/v2/t/${name}/manifests/1` });
      challenges.add(JSON.stringify(whole(answer)).replaceAll(name, 'NAME'));
    }
    expect([...challenges]).toEqual([expect.stringContaining('UNAUTHORIZED')]);
  });

  it.each([
    ['GET', '', `Bearer realm="ORIGIN/token",service="team"`],
    ['GET', 't/app/manifests/1', `Bearer realm="ORIGIN/token",service="team",scope="repository:t/app:pull"`],
    ['PUT', 't/app/manifests/1', `Bearer realm="ORIGIN/token",service="team",scope="repository:t/app:pull,push"`],
    [
      'POST',
      't/app/blobs/uploads/?from=t/base',
      `Bearer realm="ORIGIN/token",service="team",scope="repository:t/app:pull,push repository:t/base:pull"`,
    ],
    [
      'POST',
      't/app/blobs/uploads/?from=%0d%0aX:1',
      `Bearer realm="ORIGIN/token",service="team",scope="repository:t/app:pull,push"`,
    ],
    [
      'DELETE',
      't/app/blobs/uploads/1',
      `Bearer realm="ORIGIN/token",service="team",scope="repository:t/app:pull,push"`,
    ],
    ['GET', 't/_catalog', `Bearer realm="ORIGIN/token",service="team",scope="registry:catalog:*"`],
  ])('%s /v2/%s is asked for credentials in the way of the token specification', async (method, path, challenge) => {
    await using edge = await start();
    const answer = await exchange(edge.url, { method, target: `/v2/${path}` });
    expect(answer.header('WWW-Authenticate')).toBe(challenge.replace('ORIGIN', edge.url));
  });

  it('is asked for a password where the endpoint says so', async () => {
    await using edge = await start(guardOf(rules, { challenge: 'basic' }));
    const answer = await exchange(edge.url, { target: '/v2/t/app/manifests/1' });
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="manifix"']);
  });

  it('with wrong credentials is not served, even what everybody may have', async () => {
    await using edge = await start();
    const headers = { Authorization: login('bob', 'wrong') };
    const answer = await exchange(edge.url, { target: '/v2/t/public/x/manifests/1', headers });
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, expect.stringContaining('Bearer')]);
    const twice = [
      ['Authorization', login('bob')],
      ['Authorization', login('bob')],
    ] as const;
    expect((await exchange(edge.url, { target: '/v2/t/app/x/manifests/1', headers: twice })).status).toBe(401);
  });

  it('with a token for less is told which scope it needs', async () => {
    const covers = (action: string, repository: string | undefined) => action === 'pull' && repository === 'app/x';
    const authentication = knowsByName({ 'pull-only': { user: 'bob', covers } });
    await using edge = await start(guardOf(rules, { authentication }));
    const headers = { Authorization: 'Bearer pull-only' };
    const ask = (method: string, path: string) => exchange(edge.url, { method, target: `/v2/t/${path}`, headers });
    expect((await ask('GET', 'app/x/manifests/1')).status).toBe(200);
    const push = await ask('PUT', 'app/x/manifests/1');
    expect([push.status, push.header('WWW-Authenticate')]).toEqual([
      401,
      `Bearer realm="${edge.url}/token",service="team",scope="repository:t/app/x:pull,push",error="insufficient_scope"`,
    ]);
    expect((await ask('GET', 'app/y/manifests/1')).status).toBe(401);
    expect((await ask('GET', 'other/manifests/1')).status).toBe(404);
    expect((await ask('GET', '_catalog')).status).toBe(401);
  });

  it.each([
    ['GET', 't/other/manifests/1', { action: 'pull', repository: 'other', reference: '1' }],
    ['HEAD', `t/other/blobs/${digest}`, { action: 'pull', repository: 'other', reference: digest }],
    ['DELETE', `t/app/x/manifests/${digest}`, { action: 'delete', repository: 'app/x', reference: digest }],
    ['POST', 't/other/blobs/uploads/', { action: 'push', repository: 'other', reference: undefined }],
  ])('that is denied is in the audit log, with what it was about (%s %s)', async (method, path, denied) => {
    await using edge = await start();
    await exchange(edge.url, { method, target: `/v2/${path}`, headers: as('bob') });
    const { action, ...about } = denied;
    const event = await edge.audited.first('the event', () => true);
    expect(event).toMatchObject({ event: 'denied', endpoint: 'team', user: 'bob', ...about, detail: { action } });
  });

  it('never takes its credentials to the registry', async () => {
    await using edge = await start();
    await exchange(edge.url, { target: '/v2/t/app/x/manifests/1', headers: { ...as('bob'), Cookie: 'a=b' } });
    const [{ request, principal, caller } = {}] = edge.exchanges;
    expect(principal).toMatchObject({ user: 'bob' });
    expect(caller).toMatchObject({ anonymous: true });
    expect(JSON.stringify([request?.headers, request?.clientHeaders])).not.toMatch(/authorization|cookie/i);
  });
});

describe('behind the edge', () => {
  it('what else the client may do is known', async () => {
    await using edge = await start();
    await exchange(edge.url, { target: '/v2/t/app/x/manifests/1', headers: as('bob') });
    const may = edge.exchanges[0]?.may;
    expect([may?.('pull', 'app/y'), may?.('push', 'app/frozen'), may?.('pull', 'hidden')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each([
    [`mount=${digest}&from=t/app/y`, `mount=${digest}&from=app/y`],
    [`mount=${digest}&from=t/inbox`, ''],
    [`mount=${digest}&from=t/other`, ''],
    [`mount=${digest}&FROM=other`, ''],
    [`mount=${digest}&from=t/app/y&FROM=other`, ''],
    [`mount=${digest}`, ''],
    [`moun%74=${digest}&x=1`, 'x=1'],
    [`digest=${digest}`, `digest=${digest}`],
  ])('a mount with %s needs the right to pull there', async (query, sent) => {
    await using edge = await start();
    const target = `/v2/t/app/x/blobs/uploads/?${query}`;
    expect((await exchange(edge.url, { method: 'POST', target, headers: as('bob') })).status).toBe(200);
    expect(edge.exchanges[0]?.request.query).toBe(sent);
  });

  it('the catalogue holds what the client may list', async () => {
    const bytes = Buffer.from(JSON.stringify({ repositories: ['app/a', 'app/b', 'hidden', 'other', 'public/x'] }));
    const headers = [['Link', '</v2/_catalog?last=other>; rel="next"']] as const;
    await using edge = await start(guardOf(rules), { ...through, headers, body: { kind: 'bytes', bytes } });
    const list = async (user: string) => {
      const answer = await exchange(edge.url, { target: '/v2/t/_catalog', headers: as(user) });
      expect(answer.header('Link')).not.toContain('other');
      return JSON.parse(answer.body.toString());
    };
    expect(await list('bob')).toEqual({ repositories: ['t/app/a', 't/app/b'] });
    expect(await list('ann')).toEqual({ repositories: ['t/app/a'] });
    const refused = await exchange(edge.url, { target: '/v2/t/_catalog', headers: as('eve') });
    expect(errorOf(refused)).toMatchObject({
      code: 'DENIED',
      detail: { manifix: expect.stringContaining('do not let "eve" list repositories') },
    });
  });
});
