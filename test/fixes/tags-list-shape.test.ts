import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { tagsListShape } from '../../src/fixes/tags-list-shape.ts';
import { catalogRoute, listView, tagsRoute } from '../support/views.ts';

function apply(tags: unknown, query = '', headers: HeaderList = []) {
  return tagsListShape.list?.(listView(tagsRoute, { query, headers, document: { name: 'team/app', tags } }), {});
}

describe('tags-list-shape', () => {
  it('puts tags in lexical order: upper case before lower case, digits as characters', () => {
    expect(apply(['b', 'A', '10', '9', 'a'])).toEqual({
      note: 'put the tags in order',
      document: { name: 'team/app', tags: ['10', '9', 'A', 'a', 'b'] },
    });
  });

  it('makes null an empty list', () => {
    expect(apply(null)?.document).toEqual({ name: 'team/app', tags: [] });
  });

  it('gives the page that was asked for, and its next, where the registry gave everything', () => {
    const all = ['c', 'a', 'b', 'd'];
    const first = apply(all, 'n=2');
    expect(first?.document?.tags).toEqual(['a', 'b']);
    expect(first?.headers).toEqual([['Link', '</v2/team/app/tags/list?n=2&last=b>; rel="next"']]);
    const second = apply(all, 'n=2&last=b');
    expect([second?.document?.tags, second?.headers]).toEqual([['c', 'd'], undefined]);
    expect(apply(all, 'last=c')?.document?.tags).toEqual(['d']);
  });

  it('gives nothing and no next page for n=0', () => {
    expect(apply(['a'], 'n=0')).toMatchObject({ document: { tags: [] } });
    expect(apply(['a'], 'n=0')?.headers).toBeUndefined();
  });

  it('gives an empty page behind the last tag', () => {
    expect(apply(['a', 'b'], 'last=b')?.document?.tags).toEqual([]);
  });

  it('keeps other parameters in the link', () => {
    expect(apply(['a', 'b'], 'ns=docker.io&n=1')?.headers?.[0]?.[1]).toContain('?n=1&last=a&ns=docker.io>');
  });

  it('leaves pages of the registry alone, whatever its order is', () => {
    expect(apply(['b', 'A'], 'n=2', [['Link', '</v2/team/app/tags/list?n=2&last=A>; rel="next"']])).toBeUndefined();
    // The last page of a registry that orders without regard to case.
    expect(apply(['C', 'd'], 'n=5&last=b')).toBeUndefined();
  });

  it('leaves an ordered list, what is no list of texts, and other lists alone', () => {
    expect(apply(['a', 'b'])).toBeUndefined();
    expect(apply([])).toBeUndefined();
    expect(apply([2, 1])).toBeUndefined();
    expect(apply('a')).toBeUndefined();
    expect(tagsListShape.list?.(listView(tagsRoute), {})).toBeUndefined();
    expect(tagsListShape.list?.(listView(catalogRoute, { document: { tags: null } }), {})).toBeUndefined();
  });
});
