import { describe, expect, it } from 'vitest';
import { pageOf, withPage } from '../../src/fixes/page-query.ts';

describe('the page that a query asks for', () => {
  it.each([
    ['', {}],
    ['n=5', { n: 5 }],
    ['n=0&last=v1', { n: 0, last: 'v1' }],
    ['last=a%2Fb', { last: 'a/b' }],
    ['last=%zz&n=-1', { last: '%zz' }],
    ['n=1e3', {}],
    ['n=99999999999', {}],
    ['xn=1&nn=2', {}],
  ])('is read from "%s"', (query, page) => {
    expect(pageOf(query)).toEqual(page);
  });

  it('is written in front of everything else, which keeps its bytes', () => {
    expect(withPage('n=5000&last=x&ns=a%2fb&n', { n: 1000, last: 'a/b' })).toBe('n=1000&last=a%2Fb&ns=a%2fb');
    expect(withPage('n=1', {})).toBe('');
  });
});
