import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { createEndpointRoutes, type EndpointAddress } from '../../src/http/endpoint-routes.ts';
import { parseTarget } from '../../src/http/routes.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { fakeEndpoint } from '../support/scene.ts';

type Address = Partial<Omit<EndpointAddress, 'endpoint'>>;

/** Routes over endpoints with these names. */
function routesOver(addresses: Readonly<Record<string, Address>>) {
  const plain = fakeEndpoint(fakeUpstream());
  const routes = createEndpointRoutes(
    Object.entries(addresses).map(([name, address]) => ({
      endpoint: { ...plain, name },
      ns: [],
      isDefault: false,
      ...address,
    })),
  );
  /** `endpoint` or `endpoint prefix/`, or the error's detail. */
  return (host: string, path: string, namespace?: string): unknown => {
    try {
      const { endpoint, prefix } = routes.reach(host, parseTarget(path).route, namespace);
      return `${endpoint.name} ${prefix}`.trim();
    } catch (error) {
      if (error instanceof RegistryError) return error.detail;
      throw error;
    }
  };
}

const all = {
  hub: { isDefault: true, ns: ['docker.io'] },
  team: { host: 'team.test' },
  port: { host: 'team.test:5000' },
  ghcr: { prefix: 'ghcr', ns: ['ghcr.io'] },
  nested: { prefix: 'ghcr/deep/er' },
  silent: { host: 'silent.test', prefix: 'silent' },
  local: { ns: ['localhost:5000'] },
} satisfies Record<string, Address>;

describe('a request reaches its endpoint', () => {
  const reach = routesOver(all);
  const app = '/v2/app/manifests/1';

  it.each([
    ['by host', 'team.test', app, undefined, 'team'],
    ['by host, whatever the port', 'team.test:6000', app, undefined, 'team'],
    ['by host and port first', 'team.test:5000', app, undefined, 'port'],
    ['by host before a prefix', 'team.test', '/v2/ghcr/app/manifests/1', undefined, 'team'],
    ['by prefix', 'x', '/v2/ghcr/app/manifests/1', undefined, 'ghcr ghcr/'],
    ['by the longest prefix', 'x', '/v2/ghcr/deep/er/app/tags/list', undefined, 'nested ghcr/deep/er/'],
    ['by the longest prefix that is whole', 'x', '/v2/ghcr/deep/erx/tags/list', undefined, 'ghcr ghcr/'],
    ['by prefix with any path of it', 'x', '/v2/ghcr/_catalog', undefined, 'ghcr ghcr/'],
    ['by prefix with nothing behind it', 'x', '/v2/ghcr', undefined, 'ghcr ghcr/'],
    ['by prefix with a slash behind it', 'x', '/v2/ghcr/', undefined, 'ghcr ghcr/'],
    ['as the default', 'x', app, undefined, 'hub'],
    ['as the default, with a repository that is called as a prefix', 'x', '/v2/ghcr/manifests/1', undefined, 'hub'],
    ['as the default, with what only begins like a prefix', 'x', '/v2/ghcrs/app/tags/list', undefined, 'hub'],
    ['as the default, with the catalogue', 'x', '/v2/_catalog', undefined, 'hub'],
    ['as the default, with the base', 'x', '/v2/', undefined, 'hub'],
    ['by namespace before all', 'team.test', '/v2/ghcr/app/manifests/1', 'docker.io', 'hub'],
    ['by a namespace with a port', 'x', app, 'localhost:5000', 'local'],
    ['by its own host with a namespace that nobody lists', 'silent.test', app, 'quay.io', 'silent'],
    [
      'by its own prefix with a namespace that nobody lists',
      'x',
      '/v2/silent/app/manifests/1',
      'quay.io',
      'silent silent/',
    ],
  ])('%s', (_, host, path, namespace, expected) => {
    expect(reach(host, path, namespace)).toBe(expected);
  });

  it.each([
    ['the default', 'x', app],
    ['an endpoint that lists others', 'x', '/v2/ghcr/app/manifests/1'],
  ])('but not %s with a namespace that nobody lists, because it has other images', (_, host, path) => {
    const known = ['docker.io', 'ghcr.io', 'localhost:5000'];
    expect(reach(host, path, 'quay.io')).toEqual({ ns: 'quay.io', known });
  });
});

it('without any list, namespaces choose nothing', () => {
  const reach = routesOver({ only: { isDefault: true }, team: { host: 'team.test' } });
  expect(reach('x', '/v2/app/manifests/1', 'quay.io')).toBe('only');
  expect(reach('team.test', '/v2/app/manifests/1', 'quay.io')).toBe('team');
});

it('where nobody is the default, only what is claimed is reached', () => {
  const reach = routesOver({ ghcr: { prefix: 'ghcr' }, quay: { ns: ['quay.io'] } });
  expect(reach('x', '/v2/app/manifests/1')).toEqual({ host: 'x' });
  expect(reach('x', '/v2/app/manifests/1', 'docker.io')).toEqual({ ns: 'docker.io', known: ['quay.io'] });
});

it('tells at most twenty namespaces', () => {
  const many = Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`e${at}`, { ns: [`r${at}.test`] }]));
  const plain = fakeEndpoint(fakeUpstream());
  const routes = createEndpointRoutes(Object.values(many).map(({ ns }) => ({ endpoint: plain, ns, isDefault: false })));
  expect(() => routes.reach('x', parseTarget('/v2/a/tags/list').route, 'other.test')).toThrow(
    expect.objectContaining({ explanation: expect.stringContaining('r19.test and 2 more') }),
  );
});

describe('an endpoint', () => {
  const plain = fakeEndpoint(fakeUpstream());
  const endpoint = (name: string) => ({ ...plain, name });
  const routes = createEndpointRoutes([
    { endpoint: endpoint('hub'), ns: [], isDefault: true },
    { endpoint: endpoint('team'), ns: [], isDefault: false, host: 'team.test', prefix: 'team' },
    { endpoint: endpoint('sub'), ns: [], isDefault: false, prefix: 'team/sub' },
  ]);
  const held = (host: string, path: string, names: readonly string[]) => {
    const { holds } = routes.reach(host, parseTarget(path).route);
    return names.filter((name) => holds?.(name) !== false);
  };
  const names = ['app', 'team', 'team/app', 'team/sub/app', 'x/team/app'];

  it('has the names that lead to it', () => {
    expect(held('x', '/v2/app/tags/list', names)).toEqual(['app', 'team', 'x/team/app']);
    expect(held('x', '/v2/team/app/tags/list', names)).toEqual(['team/app']);
    expect(held('x', '/v2/team/sub/app/tags/list', names)).toEqual(['team/sub/app']);
    expect(held('team.test', '/v2/app/tags/list', names)).toEqual(names);
  });
});

it('is found with a thousand endpoints in as many steps as with ten', () => {
  const plain = fakeEndpoint(fakeUpstream());
  const asked: string[] = [];
  const addresses = Array.from({ length: 1000 }, (_, at) => ({
    endpoint: plain,
    ns: [`r${at}.test`],
    isDefault: false,
    get prefix() {
      asked.push(`e${at}`);
      return `e${at}`;
    },
  }));
  const routes = createEndpointRoutes(addresses);
  asked.length = 0;
  expect(routes.reach('x', parseTarget('/v2/e999/app/tags/list').route).prefix).toBe('e999/');
  expect(routes.reach('x', parseTarget('/v2/app/tags/list').route, 'r999.test').endpoint).toBe(plain);
  expect(asked).toEqual([]);
});
