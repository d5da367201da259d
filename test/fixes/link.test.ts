import { describe, expect, it } from 'vitest';
import { nextPageQuery, parseLinks } from '../../src/fixes/link.ts';

describe('links', () => {
  it('are read with their parameters as written', () => {
    expect(parseLinks('<a>;x="1,2" , <b>')).toEqual([
      { target: 'a', parameters: ';x="1,2" ' },
      { target: 'b', parameters: '' },
    ]);
  });

  it.each(['a; rel="next"', '<a>; rel="next', '<a> <b', '<a>x<b>'])('are not read from %s', (value) => {
    expect(parseLinks(value)?.map(({ target }) => target) ?? []).not.toContain('b');
  });
});

describe('the query of the next page', () => {
  it.each([
    ['</v2/_catalog?last=a%2Fb&n=1>; rel="next"', 'last=a%2Fb&n=1'],
    ['<http://internal/v2/x/tags/list?n=1>;rel=next', 'n=1'],
    ['</first?n=0>; rel="first", <?n=2&last=c>; REL = "next"; x=1', 'n=2&last=c'],
  ])('is taken from %s', (value, query) => {
    expect(nextPageQuery([['link', value]])).toBe(query);
  });

  it.each(['</v2/_catalog>; rel="next"', '<?n=1>; rel="nextover"', '<?n=1>; rel="prev"', 'n=1; rel="next"'])(
    'is not there in %s',
    (value) => {
      expect(nextPageQuery([['Link', value]])).toBeUndefined();
    },
  );

  it('is not there without a Link', () => {
    expect(nextPageQuery([])).toBeUndefined();
  });
});
