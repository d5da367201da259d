import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { compilePolicy, EVERY_REPOSITORY, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { createEndpointRoutes, type EndpointAddress } from '../../src/http/endpoint-routes.ts';
import type { Answer, Exchange } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { type RunningEdge, startEdge } from './edge.ts';

const plain = fakeEndpoint(fakeUpstream());
const addresses: readonly EndpointAddress[] = [
  { endpoint: { ...plain, libraryPrefix: 'on' }, ns: ['docker.io'], isDefault: true },
  { endpoint: { ...plain, name: 'team' }, ns: [], isDefault: false, prefix: 'team' },
  { endpoint: { ...plain, name: 'sub' }, ns: [], isDefault: false, prefix: 'team/sub' },
  {
    endpoint: { ...plain, name: 'few', policy: compilePolicy([EVERY_REPOSITORY], ['secret/**' as RepositoryPattern]) },
    ns: [],
    isDefault: false,
    host: 'few.test',
  },
];

/** A token service of the registry's own. */
const REALM = `${plain.upstream.origin}/auth`;

type Given = Partial<Pick<Answer, 'status' | 'headers'>> & {
  readonly body?: string | Uint8Array;
  readonly stream?: boolean;
};

/** The upstream's answer to every request; `ORIGIN` in its fields is manifix as the client sees it. */
function start(given: (asked: Exchange) => Given): Promise<RunningEdge> {
  return startEdge(
    async (asked) => {
      const { status = 200, headers = [], body = '', stream = false } = given(asked);
      const bytes = Buffer.from(body);
      return {
        status,
        headers: headers.map(([name, value]) => [name, value.replaceAll('ORIGIN', asked.clientOrigin)] as const),
        body: stream ? { kind: 'stream', stream: Readable.from([bytes]) } : { kind: 'bytes', bytes },
      };
    },
    { endpoints: createEndpointRoutes(addresses) },
  );
}

async function ask(
  given: Given,
  target: string,
  options: { method?: string; host?: string | undefined } = {},
): Promise<HttpAnswer> {
  await using edge = await start(() => given);
  const { method = 'GET', host = 'manifix.test' } = options;
  return await exchange(edge.url, { method, target, headers: { Host: host } });
}

const json = (answer: HttpAnswer) => JSON.parse(answer.body.toString());

describe('the field', () => {
  it.each([
    [
      'Location',
      'ORIGIN/v2/app/blobs/uploads/1?_state=/v2/app/',
      'http://manifix.test/v2/team/app/blobs/uploads/1?_state=/v2/app/',
    ],
    ['Location', '/v2/app/blobs/uploads/1', '/v2/team/app/blobs/uploads/1'],
    ['Location', 'uploads/1?a', 'uploads/1?a'],
    ['Location', 'https://storage.test/v2/app/x', 'https://storage.test/v2/app/x'],
    ['Location', 'http://manifix.test.evil.test/v2/app/x', 'http://manifix.test.evil.test/v2/app/x'],
    ['Link', '</v2/app/referrers/x?n=1>; rel="next"', '</v2/team/app/referrers/x?n=1>; rel="next"'],
    ['Link', '<ORIGIN/v2/app/x>; a=1, </v2/app/y>', '<http://manifix.test/v2/team/app/x>; a=1, </v2/team/app/y>'],
    ['Docker-Content-Digest', '/v2/app/', '/v2/app/'],
  ])('%s: %s is %s to the client', async (name, value, expected) => {
    const answer = await ask({ status: 202, headers: [[name, value]] }, '/v2/team/app/blobs/uploads/1');
    expect(answer.header(name)).toBe(expected);
  });

  it('of an answer under the same name is left alone', async () => {
    const headers: HeaderList = [['Location', '/v2/a/b/blobs/uploads/1']];
    const answer = await ask({ status: 202, headers, body: '{"name": "a/b"}' }, '/v2/a/b/blobs/uploads/1');
    expect([answer.header('Location'), answer.body.toString()]).toEqual(['/v2/a/b/blobs/uploads/1', '{"name": "a/b"}']);
  });
});

describe('a challenge', () => {
  const challenged = async (value: string, target: string, host?: string) =>
    (await ask({ status: 401, headers: [['WWW-Authenticate', value]] }, target, { host })).header('WWW-Authenticate');
  const bearer = (realm: string, scope?: string) =>
    `Bearer realm="${realm}",service="registry.test"${scope === undefined ? '' : `,scope="${scope}"`}`;
  const upstreams = bearer(REALM, 'repository:app:pull repository:other:pull');

  it('of a registry whose repositories have other names leads to manifix, for scopes in the names of the client', async () => {
    expect(await challenged(upstreams, '/v2/team/app/tags/list')).toBe(
      bearer('http://manifix.test/token', 'repository:team/app:pull repository:team/other:pull'),
    );
    expect(await challenged(bearer(REALM), '/v2/')).toBe(bearer('http://manifix.test/token'));
  });

  it('names the endpoint where only the namespace chose it', async () => {
    expect(await challenged(bearer(REALM), '/v2/app/tags/list?ns=docker.io')).toBe(
      bearer('http://manifix.test/token/default'),
    );
  });

  it('leads to manifix also where the names are the same, for the very same scopes', async () => {
    const own = bearer('http://few.test/token', 'repository:app:pull repository:other:pull');
    expect(await challenged(upstreams, '/v2/app/tags/list', 'few.test')).toBe(own);
  });

  it('stays where it is no token service of the registry', async () => {
    const foreign = bearer('https://auth.evil.example/token', 'repository:app:pull');
    expect(await challenged(foreign, '/v2/team/app/tags/list')).toBe(foreign);
    const basic = 'Basic realm=x';
    expect(await challenged(basic, '/v2/team/app/tags/list')).toBe(basic);
  });
});

describe('content', () => {
  it('is never touched', async () => {
    const body = '{"name": "app", "errors": []}';
    const headers: HeaderList = [['Content-Type', 'application/json']];
    for (const path of ['manifests/1', 'referrers/sha256:'.concat('a'.repeat(64))]) {
      const answer = await ask({ headers, body, stream: true }, `/v2/team/app/${path}`);
      expect(answer.body.toString()).toBe(body);
    }
  });
});

describe('errors', () => {
  const errors = [{ code: 'NAME_UNKNOWN', message: 'unknown', detail: { name: 'app' }, more: 1 }];

  it("have the client's name, with a length that fits", async () => {
    const answer = await ask({ status: 404, body: JSON.stringify({ errors }) }, '/v2/team/app/tags/list');
    expect(json(answer)).toEqual({ errors: [{ ...errors[0], detail: { name: 'team/app' } }] });
    expect(answer.header('Content-Length')).toBe(String(answer.body.length));
  });

  it.each(['not JSON', '{"errors": [ {"code":"A"} ]}', '{"error": "app"}'])(
    'that say nothing of it stay: %s',
    async (body) => {
      expect((await ask({ status: 400, body }, '/v2/team/app/tags/list')).body.toString()).toBe(body);
      expect((await ask({ status: 400, body, stream: true }, '/v2/team/app/tags/list')).body.toString()).toBe(body);
    },
  );
});

describe('a list of tags', () => {
  const tags = '{"tags": ["a", "b"], "name": "app", "more": {"x": 1}}';

  it.each([false, true])('has the name that was asked for and all else as it was (streamed: %s)', async (stream) => {
    const answer = await ask(
      {
        body: tags,
        stream,
        headers: [
          ['ETag', '"x"'],
          ['Content-Length', '53'],
        ],
      },
      '/v2/team/app/tags/list',
    );
    expect(json(answer)).toEqual({ tags: ['a', 'b'], name: 'team/app', more: { x: 1 } });
    expect([answer.header('Content-Length'), answer.header('ETag')]).toEqual([String(answer.body.length), undefined]);
  });

  it('of an official image has the short name when that was asked for', async () => {
    const body = '{"name":"library/alpine","tags":[]}';
    expect(json(await ask({ body }, '/v2/alpine/tags/list')).name).toBe('alpine');
    expect(json(await ask({ body }, '/v2/library/alpine/tags/list')).name).toBe('library/alpine');
  });

  it('may come compressed', async () => {
    const answer = await ask(
      { body: gzipSync(tags), headers: [['Content-Encoding', 'gzip']] },
      '/v2/team/app/tags/list',
    );
    expect([json(answer).name, answer.header('Content-Encoding')]).toEqual(['team/app', undefined]);
  });

  it('has no length for HEAD, which would be that of other bytes', async () => {
    const answer = await ask({ headers: [['Content-Length', '53']] }, '/v2/team/app/tags/list', { method: 'HEAD' });
    expect(answer.header('Content-Length')).toBeUndefined();
  });

  it.each([
    ['[1]', []],
    ['no list', []],
    [tags, [['Content-Encoding', 'rot13']]],
  ] as const)('that cannot be read is an error that says so: %s', async (body, headers) => {
    const answer = await ask({ body, headers }, '/v2/team/app/tags/list');
    expect([answer.status, json(answer).errors[0].code]).toEqual([502, 'UNKNOWN']);
  });

  it('without a name, or from the upstream under the same name, stays', async () => {
    expect(json(await ask({ body: '{"tags":null}' }, '/v2/team/app/tags/list'))).toEqual({ tags: null });
    expect((await ask({ body: tags }, '/v2/app/x/tags/list')).body.toString()).toBe(tags);
  });
});

describe('the catalogue', () => {
  const repositories = ['app', 'secret/a', 'sub/app', 'team/x', 'zoo'];
  const body = JSON.stringify({ repositories, more: 1 });
  const link = (last: string): HeaderList => [
    ['Link', `</v2/_catalog?last=${encodeURIComponent(last)}&n=5>; rel="next"`],
  ];

  it('of a prefix has it in front of all names, and none that another endpoint claims', async () => {
    const answer = await ask({ body, headers: link('a/b') }, '/v2/team/_catalog?n=5');
    expect(json(answer)).toEqual({ repositories: ['team/app', 'team/secret/a', 'team/team/x', 'team/zoo'], more: 1 });
    expect(answer.header('Link')).toBe('</v2/team/_catalog?last=team%2Fa%2Fb&n=5>; rel="next"');
  });

  it('of the default lacks what a prefix hides', async () => {
    const answer = await ask({ body, headers: link('zoo') }, '/v2/_catalog');
    expect(json(answer).repositories).toEqual(['app', 'secret/a', 'sub/app', 'zoo']);
    expect(answer.header('Link')).toBe('</v2/_catalog?last=zoo&n=5>; rel="next"');
  });

  it('has no repository that the endpoint does not serve, not even as the start of the next page', async () => {
    await using edge = await start(() => ({ body, headers: link('secret/a') }));
    const headers = { Host: 'few.test' };
    const first = await exchange(edge.url, { target: '/v2/_catalog?n=5', headers });
    expect(json(first).repositories).toEqual(['app', 'sub/app', 'team/x', 'zoo']);
    const next = /^<(\S+)>/.exec(first.header('Link') ?? '')?.[1] ?? '';
    expect(Buffer.from(decodeURIComponent(next), 'base64').toString()).not.toContain('secret');
    expect(next).not.toContain('secret');
    await exchange(edge.url, { target: next, headers });
    expect(edge.exchanges.map(({ request }) => request.query)).toEqual(['n=5', 'last=secret%2Fa&n=5']);
    const forged = await exchange(edge.url, { target: '/v2/_catalog?last=~forged', headers });
    expect([forged.status, json(forged).errors[0].code]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    await exchange(edge.url, { target: '/v2/_catalog?last=app', headers });
    expect(edge.exchanges.at(-1)?.request.query).toBe('last=app');
  });

  it('without names is empty, and under the same names comes as it is', async () => {
    expect(json(await ask({ body: '{"repositories":null}' }, '/v2/team/_catalog'))).toEqual({ repositories: [] });
    const odd = '{"repositories": [1, "a"]}';
    expect(json(await ask({ body: odd }, '/v2/team/_catalog'))).toEqual({ repositories: ['team/a'] });
    expect((await ask({ body: odd }, '/v2/_catalog?ns=docker.io')).body.toString()).toBe(odd);
  });
});
