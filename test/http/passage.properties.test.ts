import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { compilePolicy, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { formatRoute } from '../../src/domain/route-path.ts';
import { arrive } from '../../src/http/arrival.ts';
import { trustCheck } from '../../src/http/client.ts';
import { createCursors } from '../../src/http/cursors.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import { ANYBODY } from '../../src/http/identify.ts';
import { openPassage } from '../../src/http/passage.ts';
import { parseTarget, type Target } from '../../src/http/routes.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { fakeEndpoint } from '../support/scene.ts';

const policy = compilePolicy(['open/**' as RepositoryPattern], ['open/secret' as RepositoryPattern]);
const endpoint = { ...fakeEndpoint(fakeUpstream()), policy };
const gate = {
  endpoints: createEndpointRoutes([{ endpoint, ns: ['ns.test'], isDefault: true, prefix: 'team' }]),
  trusts: trustCheck([]),
};

/** What goes on to the upstream; undefined when nothing does. */
function sentOn(method: string, target: string): Target | undefined {
  const incoming = new IncomingMessage(new Socket());
  incoming.method = method;
  try {
    const arrival = arrive(gate, incoming, [['Host', 'manifix.test']], parseTarget(target));
    return openPassage(createCursors(), arrival, ANYBODY, []).target;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

const segment = fc.constantFrom(
  ...[
    'team',
    'open',
    'secret',
    'other',
    'app',
    'library',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    'referrers',
  ],
  ...['1', `sha256:${'a'.repeat(64)}`, '_catalog', '_ext', '', '..', '%2e', 'open%2Fsecret', 'Secret', '~'],
);
const separator = fc.constantFrom('&', '?', ';', '%26', '&&');
const parameter = fc.constantFrom(
  ...['from=open/secret', 'from=team/open/secret', 'fro%6d=open/secret', 'from=open%2Fsecret', 'from=open/app'],
  ...[
    'from=team/open/app',
    'FROM=open/secret',
    'from',
    `mount=sha256:${'a'.repeat(64)}`,
    'n=1',
    'ns=ns.test',
    'ns=x.test',
  ],
);
const query = fc
  .array(fc.tuple(separator, parameter), { maxLength: 4 })
  .map((parameters) => parameters.map(([between, one], at) => (at === 0 ? one : `${between}${one}`)).join(''));
const path = fc.array(segment, { maxLength: 8 }).map((segments) => `/v2/${segments.join('/')}`);
const target = fc
  .tuple(path, query)
  .map(([asked, parameters]) => (parameters === '' ? asked : `${asked}?${parameters}`));

/** Every repository that some server might take for the source of a mount. */
function sourcesIn(sent: string): readonly string[] {
  const pairs = sent.split(/[&;?]/).map((part) => part.split('=').map(decodeURIComponent));
  return pairs.flatMap(([name, value = '']) => (name?.toLowerCase() === 'from' ? [value] : []));
}

it('whatever is asked for, nothing of what an endpoint does not serve is sent on', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE'), target, (method, asked) => {
      const sent = sentOn(method, asked);
      if (sent === undefined) return;
      passed += 1;
      if ('repository' in sent.route) expect(policy.allows(sent.route.repository), asked).toBe(true);
      if (sent.route.kind === 'other') expect(formatRoute(sent.route), asked).toMatch(/^\/v2\/open\/.*\/_/);
    }),
    { numRuns: 3000 },
  );
  expect(passed).toBeGreaterThan(30);
});

it('however a mount is written, its source is a repository that the endpoint serves', () => {
  fc.assert(
    fc.property(fc.constantFrom('team/open/app', 'open/app'), query, (name, parameters) => {
      const sent = sentOn('POST', `/v2/${name}/blobs/uploads/?ns=&${parameters}`);
      expect(
        sourcesIn(sent?.query ?? '').filter((from) => from !== '' && from !== 'open/app'),
        parameters,
      ).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});
