import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { linkHeaderOrigin } from '../../src/fixes/link-header-origin.ts';
import { repositoryName, requestView, responseView, someDigest } from '../support/views.ts';

const catalog: Route = { kind: 'catalog' };
const tags: Route = { kind: 'tags', repository: repositoryName('team/app') };
const referrers: Route = { kind: 'referrers', repository: repositoryName('team/app'), digest: someDigest };

function apply(route: Route, ...links: readonly string[]) {
  const headers = [['X', 'y'] as const, ...links.map((link) => ['Link', link] as const)];
  return linkHeaderOrigin.response?.(responseView({ request: requestView({ route }), headers }), {});
}

function changed(route: Route, ...links: readonly string[]): readonly string[] | undefined {
  return apply(route, ...links)
    ?.headers?.filter(([name]) => name === 'Link')
    .map(([, value]) => value);
}

describe('link-header-origin', () => {
  it.each([
    ['an internal host', catalog, '<http://internal:5001/v2/_catalog?last=a%2Fb&n=1>; rel="next"'],
    ['the path of an endpoint', catalog, '<https://h/artifactory/api/docker/x/v2/_catalog?last=a%2Fb&n=1>; rel="next"'],
    ['a host without scheme', catalog, '<//internal/v2/_catalog?last=a%2Fb&n=1>; rel="next"'],
    ['a path from elsewhere', catalog, '</api/v2/_catalog?last=a%2Fb&n=1>; rel="next"'],
    ['a query alone', catalog, '<?last=a%2Fb&n=1>; rel="next"'],
    ['a file name', catalog, '<_catalog?last=a%2Fb&n=1>; rel="next"'],
    ['a rel without quotes', catalog, '</v2/_catalog?last=a%2Fb&n=1>; REL = next'],
  ])('makes a path on manifix of %s', (_, route, link) => {
    const right = '</v2/_catalog?last=a%2Fb&n=1>; rel="next"';
    expect(changed(route, link)).toEqual([right]);
    expect(apply(route, link)?.note).toBe('Link leads back through manifix');
    expect(apply(route, right)).toBeUndefined();
  });

  it('completes a link from the list that was asked for', () => {
    expect(changed(tags, '<?n=1&last=v1>;rel=next')).toEqual(['</v2/team/app/tags/list?n=1&last=v1>; rel="next"']);
    expect(changed(referrers, '<?n=1>; rel="next"')).toEqual([
      `</v2/team/app/referrers/${someDigest}?n=1>; rel="next"`,
    ]);
  });

  it('corrects each of several links and keeps their parameters', () => {
    expect(changed(tags, '<http://h/v2/a>; rel="first"; title="a, b" ,<http://h/v2/b>;x=1;rel=next')).toEqual([
      '</v2/a>; rel="first"; title="a, b", </v2/b>;x=1; rel="next"',
    ]);
    expect(changed(tags, '</v2/a>; rel="first"', '<http://h/v2/b>; rel="next"')).toEqual([
      '</v2/a>; rel="first"',
      '</v2/b>; rel="next"',
    ]);
  });

  it('drops a link that leads nowhere', () => {
    expect(apply(catalog, '<>; rel="next"')?.headers).toEqual([['X', 'y']]);
    expect(changed(catalog, '<>; rel="next", </v2/a>; rel="first"')).toEqual(['</v2/a>; rel="first"']);
  });

  it('leaves right links, foreign pages, what is no link and other answers alone', () => {
    expect(apply(catalog)).toBeUndefined();
    expect(apply(catalog, '<https://docs.test/terms?u=/v2/>; rel="license"')).toBeUndefined();
    expect(apply(catalog, '<https://docs.test?u=/v2/>; rel="license"')).toBeUndefined();
    expect(apply(catalog, 'http://internal/v2/_catalog; rel="next"')).toBeUndefined();
    expect(apply(catalog, '<http://internal/v2/>; rel="next')).toBeUndefined();
    expect(apply({ kind: 'base' }, '<http://internal/v2/>; rel=next')).toBeUndefined();
  });
});
