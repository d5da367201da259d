import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeQueryValue,
  joinQueries,
  mapQueryValues,
  queryText,
  queryValue,
  withoutQueryParameter,
  withQuery,
} from '../../src/domain/query.ts';

const rawQueries = fc
  .array(fc.constantFrom('a', 'digest', '=', '&', '?', '%', '25', '3D', '2B', '_state', ':', 'ü', ' '), {
    maxLength: 16,
  })
  .map((parts) => parts.join(''));

describe('a raw query', () => {
  it('gives out the first value of a name as it is written', () => {
    expect(queryValue('_state=a%3D%3D&digest=sha256%3Aab&digest=x', 'digest')).toBe('sha256%3Aab');
    expect(queryValue('_state=a==&x', '_state')).toBe('a==');
    expect(queryValue('mydigest=1&digest', 'digest')).toBeUndefined();
    expect(queryValue('', 'digest')).toBeUndefined();
  });

  it('loses every parameter of a name and nothing else', () => {
    expect(withoutQueryParameter('a=%20&digest=x&b&digest=y&digest', 'digest')).toBe('a=%20&b');
    expect(withoutQueryParameter('digest=x', 'digest')).toBe('');
  });

  it('is put together with others, and nothing comes of empty ones', () => {
    expect(joinQueries('', '_state=a==', '', 'digest=x')).toBe('_state=a==&digest=x');
    expect(joinQueries('', '')).toBe('');
  });

  it('stands behind its path, without a question mark where there is none', () => {
    expect([withQuery('/v2/', 'n=1'), withQuery('/v2/', '')]).toEqual(['/v2/?n=1', '/v2/']);
  });

  it('comes back byte for byte when nothing is repaired', () => {
    fc.assert(
      fc.property(rawQueries, (query) => {
        expect(mapQueryValues(query, (_, value) => value)).toBe(query);
      }),
    );
  });

  it('keeps a plus, which media types have', () => {
    expect(queryText('artifactType=application/vnd.x+json', 'artifactType')).toBe('application/vnd.x+json');
    expect(queryText('artifactType=application%2Fvnd.x%2Bjson', 'artifactType')).toBe('application/vnd.x+json');
    expect(queryText('', 'artifactType')).toBeUndefined();
  });

  it('has values that stand for a text, and for themselves when they are wrongly encoded', () => {
    expect(['a%2Fb', 'a+b', '%', ''].map(decodeQueryValue)).toEqual(['a/b', 'a+b', '%', '']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeQueryValue(encodeURIComponent(text)) === text),
    );
  });
});
