import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRepositoryName, type RepositoryName } from '../../src/domain/reference.ts';
import {
  clientName,
  clientPath,
  mapScopes,
  type NameRule,
  type RequestNames,
  renames,
  upstreamName,
} from '../../src/domain/repository-names.ts';

const plain: NameRule = { prefix: '', library: false };
const hub: NameRule = { prefix: 'mirrors/hub/', library: true };

/** What the edge knows of a request for this repository. */
function asking(rule: NameRule, client: string): RequestNames {
  const upstream = upstreamName(rule, client);
  if (upstream === undefined) throw new Error(`${client} is no name of the upstream`);
  return { ...rule, asked: { client: client as RepositoryName, upstream } };
}

const component = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const name = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const rule = fc.record({
  prefix: fc.oneof(
    fc.constant(''),
    name.map((one) => `${one}/`),
  ),
  library: fc.boolean(),
});

describe("a client's name of a repository", () => {
  it.each([
    [plain, 'team/app', 'team/app'],
    [hub, 'mirrors/hub/alpine', 'library/alpine'],
    [hub, 'mirrors/hub/library/alpine', 'library/alpine'],
    [hub, 'mirrors/hub/bitnami/redis', 'bitnami/redis'],
    [{ ...hub, library: false }, 'mirrors/hub/alpine', 'alpine'],
    [hub, 'mirrors/hub', undefined],
    [hub, 'mirrors/hubs/alpine', undefined],
    [hub, 'alpine', undefined],
    [{ ...hub, prefix: '' }, 'a'.repeat(250), undefined],
  ])('with the rule %j means: %s is %s', (given, client, upstream) => {
    expect(upstreamName(given, client)).toBe(upstream);
  });

  it('comes back from its upstream name', () => {
    fc.assert(
      fc.property(rule, name, (given, rest) => {
        const client = `${given.prefix}${rest}`;
        const names = asking(given, client);
        expect(clientName(names, `${names.asked?.upstream}`)).toBe(client);
        expect(clientPath(names, `/v2/${names.asked?.upstream}/tags/list`)).toBe(`/v2/${client}/tags/list`);
      }),
    );
  });

  it('leads every name of the upstream to itself', () => {
    fc.assert(
      fc.property(rule, name, name, (given, asked, other) => {
        fc.pre(!given.library || other.includes('/'));
        const names = asking(given, `${given.prefix}${asked}`);
        expect(upstreamName(given, clientName(names, other))).toBe(other);
      }),
    );
  });

  it('is told from the same name only where there is a difference', () => {
    expect(renames(plain)).toBe(false);
    expect(renames(asking(plain, 'team/app'))).toBe(false);
    expect(renames(hub)).toBe(true);
    expect(renames(asking({ ...hub, prefix: '' }, 'alpine'))).toBe(true);
    expect(renames(asking({ ...hub, prefix: '' }, 'library/alpine'))).toBe(false);
  });
});

describe('a path of the upstream', () => {
  it.each([
    ['/v2/library/alpine/blobs/uploads/1?_state=a/v2/b', '/v2/mirrors/hub/alpine/blobs/uploads/1?_state=a/v2/b'],
    ['/v2/library/alpines/tags/list', '/v2/mirrors/hub/library/alpines/tags/list'],
    ['/v2/_catalog?n=1', '/v2/mirrors/hub/_catalog?n=1'],
    ['/v2/', '/v2/mirrors/hub/'],
  ])('%s is %s to the client', (path, expected) => {
    expect(clientPath(asking(hub, 'mirrors/hub/alpine'), path)).toBe(expected);
  });
});

describe('scopes', () => {
  const toUpstream = (scopes: string) => mapScopes(scopes, (one) => upstreamName(hub, one));

  it('get the names of the upstream, and lose what is not its', () => {
    expect(toUpstream('repository:mirrors/hub/alpine:pull')).toBe('repository:library/alpine:pull');
    expect(toUpstream('repository(plugin):mirrors/hub/a/b:pull,push registry:catalog:* repository:other:pull')).toBe(
      'repository(plugin):a/b:pull,push registry:catalog:*',
    );
    expect(toUpstream('repository:other:pull')).toBe('');
  });

  it('keep the port of a host in a name, and whatever is not in the form', () => {
    expect(mapScopes('repository:host:5000/app:pull', (one) => `x/${one}`)).toBe('repository:x/host:5000/app:pull');
    expect(mapScopes('repository:app', () => undefined)).toBe('repository:app');
  });

  it('come back', () => {
    fc.assert(
      fc.property(rule, name, (given, rest) => {
        const client = `${given.prefix}${rest}`;
        const scope = `repository:${client}:pull,push`;
        const sent = mapScopes(scope, (one) => upstreamName(given, one));
        const names = asking(given, client);
        expect(mapScopes(sent, (one) => clientName(names, one))).toBe(scope);
      }),
    );
  });
});

it('names in these tests are names', () => {
  fc.assert(fc.property(name, (one) => parseRepositoryName(one) === one));
});
