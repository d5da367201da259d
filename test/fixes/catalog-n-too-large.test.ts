import { describe, expect, it } from 'vitest';
import { catalogNTooLarge } from '../../src/fixes/catalog-n-too-large.ts';
import { catalogRoute, listView, tagsRoute } from '../support/views.ts';

const errors = [
  { code: 'PAGINATION_NUMBER_INVALID', message: 'invalid number of results requested', detail: { n: 5000 } },
];

function apply(query: string, overrides: Parameters<typeof listView>[1] = { status: 400, errors }) {
  return catalogNTooLarge.list?.(listView(catalogRoute, { query, ...overrides }), {});
}

describe('catalog-n-too-large', () => {
  it('asks for a thousand, then for a hundred, and keeps the rest of the query', () => {
    expect(apply('n=5000&last=a%2Fb&x=%2f')).toEqual({
      note: 'asked for 1000 instead of 5000',
      again: { query: 'n=1000&last=a%2Fb&x=%2f', limit: 1000 },
    });
    expect(apply('n=1000')?.again).toEqual({ query: 'n=100', limit: 100 });
  });

  it('serves lists of tags as well', () => {
    const view = listView(tagsRoute, { query: 'n=5000', status: 400, errors });
    expect(catalogNTooLarge.list?.(view, {})?.again).toEqual({ query: 'n=1000', limit: 1000 });
  });

  it('leaves what is no page size, other errors and lists alone', () => {
    expect(apply('n=100')).toBeUndefined();
    expect(apply('')).toBeUndefined();
    expect(apply('n=-1')).toBeUndefined();
    expect(apply('n=5000', { status: 400, errors: [{ code: 'UNSUPPORTED' }] })).toBeUndefined();
    expect(apply('n=5000', { status: 400 })).toBeUndefined();
    expect(apply('n=5000', { document: { repositories: [] } })).toBeUndefined();
  });
});
