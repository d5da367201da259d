import { describe, expect, it } from 'vitest';
import { compilePolicy, EVERY_REPOSITORY, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { createEndpointRoutes, type EndpointAddress } from '../../src/http/endpoint-routes.ts';
import type { Answer, Endpoint } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { type RunningEdge, startEdge } from './edge.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const plain = fakeEndpoint(fakeUpstream());
const policy = (allow: string[], deny: string[] = []) =>
  compilePolicy(allow as RepositoryPattern[], deny as RepositoryPattern[]);

/** An endpoint of the Docker Hub as the default, and one with a prefix, rules and a namespace. */
const addresses: readonly EndpointAddress[] = [
  { endpoint: { ...plain, name: 'hub', libraryPrefix: 'on' }, ns: [], isDefault: true },
  {
    endpoint: { ...plain, name: 'team', policy: policy(['app', 'tools/**'], ['tools/secret']) },
    ns: ['team.test'],
    isDefault: false,
    prefix: 'teams/one',
  },
  { endpoint: { ...plain, name: 'fixed', readOnly: true }, ns: [], isDefault: false, prefix: 'fixed' },
];

/** Every request is answered with an empty object, which is a list as well. */
function start(over = addresses): Promise<RunningEdge> {
  const answer: Answer = {
    status: 200,
    headers: [['Content-Length', '2']],
    body: { kind: 'bytes', bytes: Buffer.from('{}') },
  };
  return startEdge(async () => answer, { endpoints: createEndpointRoutes(over) });
}

const errorOf = ({ body }: HttpAnswer) => JSON.parse(body.toString()).errors[0];

describe('behind the edge', () => {
  it.each([
    ['GET', '/v2/alpine/manifests/1?ns=', 'hub', { kind: 'manifest', repository: 'library/alpine' }, ''],
    ['GET', '/v2/library/alpine/manifests/1', 'hub', { kind: 'manifest', repository: 'library/alpine' }, ''],
    ['GET', '/v2/teams/one/app/manifests/1?a=%20&ns=&b', 'team', { kind: 'manifest', repository: 'app' }, 'a=%20&b'],
    ['GET', '/v2/tools/x/tags/list?n=1&ns=TEAM.test', 'team', { kind: 'tags', repository: 'tools/x' }, 'n=1'],
    ['GET', '/v2/teams/one/_catalog?n=1&last=teams%2Fone%2Fapp', 'team', { kind: 'catalog' }, 'n=1&last=app'],
    ['GET', '/v2/teams/one/', 'team', { kind: 'base' }, ''],
    ['GET', '/v2/teams/one/app/_oras/x', 'team', { kind: 'other', path: '/v2/app/_oras/x' }, ''],
    ['GET', '/v2/_catalog?last=a', 'hub', { kind: 'catalog' }, 'last=a'],
    ['POST', '/v2/teams/one/app/blobs/uploads', 'team', { kind: 'upload-start', repository: 'app' }, ''],
  ])('%s %s is about the upstream', async (method, target, name, route, query) => {
    await using edge = await start();
    expect((await exchange(edge.url, { method, target })).status).toBe(200);
    expect(edge.exchanges).toMatchObject([{ endpoint: { name }, request: { route, query }, caller: {} }]);
    expect(edge.finished.all).toMatchObject([{ endpoint: name, kind: route.kind, path: target.split('?')[0] }]);
  });

  it('a namespace tells no two callers apart, and is confirmed only when it chose the endpoint', async () => {
    await using edge = await start();
    const chosen = await exchange(edge.url, { target: '/v2/app/tags/list?ns=team.test' });
    await exchange(edge.url, { target: '/v2/teams/one/app/tags/list' });
    expect(chosen.header('OCI-Namespace')).toBe('team.test');
    expect(edge.exchanges.map(({ caller }) => caller.anonymous)).toEqual([true, true]);
    const refused = await exchange(edge.url, { target: '/v2/app/tags/list?ns=quay.io' });
    expect([refused.status, errorOf(refused), refused.header('OCI-Namespace')]).toMatchObject([
      404,
      { code: 'NAME_UNKNOWN', detail: { ns: 'quay.io', known: ['team.test'] } },
      undefined,
    ]);
    expect(edge.exchanges).toHaveLength(2);
  });

  it.each([
    [`/v2/alpine/blobs/uploads/?mount=${digest}&from=busybox`, `mount=${digest}&from=library/busybox`],
    [`/v2/alpine/blobs/uploads/?from=a%2Fb&mount=${digest}`, `from=a%2Fb&mount=${digest}`],
    [`/v2/alpine/blobs/uploads/?mount=${digest}`, `mount=${digest}`],
    [`/v2/alpine/blobs/uploads/?mount=${digest}&from=teams/one/app&x=1`, 'x=1'],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}&from=teams/one/tools/x`, `mount=${digest}&from=tools/x`],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}&from=teams/one/tools/secret`, ''],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}&from=app`, ''],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}&fro%6d=secret`, ''],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}&from=teams/one/app&from=secret`, ''],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest}?from=secret`, ''],
    [`/v2/teams/one/app/blobs/uploads/?mount=${digest};from=secret`, ''],
  ])('the mount of %s comes from the same endpoint or becomes an upload', async (target, query) => {
    await using edge = await start();
    await exchange(edge.url, { method: 'POST', target });
    expect(edge.exchanges.map(({ request }) => request.query)).toEqual([query]);
  });

  it('a name that is too long with its library is refused', async () => {
    await using edge = await start();
    const answer = await exchange(edge.url, { target: `/v2/${'a'.repeat(250)}/tags/list` });
    expect([answer.status, errorOf(answer).code]).toEqual([400, 'NAME_INVALID']);
  });
});

describe('what an endpoint does not serve', () => {
  const unknown = (name: string) => ({
    errors: [{ code: 'NAME_UNKNOWN', message: 'repository name not known to registry', detail: { name } }],
  });

  it.each([
    ['GET', `tools/secret/manifests/1`, 'teams/one/tools/secret'],
    ['HEAD', `other/blobs/${digest}`, 'teams/one/other'],
    ['GET', 'other/tags/list', 'teams/one/other'],
    ['POST', 'other/blobs/uploads/', 'teams/one/other'],
    ['PUT', `other/manifests/1`, 'teams/one/other'],
    ['GET', 'other/_oras/x', 'teams/one/other'],
  ])('looks as if it did not exist: %s %s', async (method, path, name) => {
    await using edge = await start();
    const answer = await exchange(edge.url, { method, target: `/v2/teams/one/${path}` });
    expect(answer.status).toBe(404);
    if (method !== 'HEAD') expect(JSON.parse(answer.body.toString())).toEqual(unknown(name));
    expect(edge.exchanges).toEqual([]);
  });

  it('is not told by extensions of the registry as a whole, either', async () => {
    await using edge = await start();
    const answer = await exchange(edge.url, { target: '/v2/teams/one/_zot/ext/search' });
    expect([answer.status, errorOf(answer).code]).toEqual([404, 'NAME_UNKNOWN']);
    expect((await exchange(edge.url, { target: '/v2/_zot/ext/search' })).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is %s where nothing may be changed', async (method) => {
    await using edge = await start();
    const answer = await exchange(edge.url, { method, target: `/v2/fixed/app/blobs/${digest}` });
    expect([answer.status, answer.header('Allow'), errorOf(answer)]).toMatchObject([
      405,
      'GET, HEAD',
      {
        code: 'UNSUPPORTED',
        message: 'this endpoint is read-only',
        detail: { manifix: expect.stringContaining(`"fixed" is read-only: it takes no ${method}`) },
      },
    ]);
    expect((await exchange(edge.url, { target: `/v2/fixed/app/blobs/${digest}` })).status).toBe(200);
    expect(edge.exchanges).toHaveLength(1);
  });
});

describe('library-prefix', () => {
  const endpoint = (libraryPrefix: Endpoint['libraryPrefix']) => [
    { endpoint: { ...plain, policy: policy([EVERY_REPOSITORY]), libraryPrefix }, ns: [], isDefault: true },
  ];

  it.each([
    ['on', 'alpine', 'library/alpine', 'library-prefix'],
    ['on', 'library/alpine', 'library/alpine', undefined],
    ['on', 'bitnami/redis', 'bitnami/redis', undefined],
    ['observe', 'alpine', 'alpine', undefined],
    ['off', 'alpine', 'alpine', undefined],
  ] as const)('%s makes of %s %s, and says so', async (mode, client, upstream, fixes) => {
    await using edge = await start(endpoint(mode));
    const answer = await exchange(edge.url, { target: `/v2/${client}/tags/list` });
    expect(edge.exchanges).toMatchObject([{ request: { route: { repository: upstream } } }]);
    expect(answer.header('Manifix-Fixes')).toBe(fixes);
    const noted = client === 'alpine' && mode !== 'off' ? [{ id: 'library-prefix', mode }] : [];
    expect(edge.finished.all).toMatchObject([{ fixes: noted }]);
  });
});
