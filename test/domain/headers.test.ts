import { describe, expect, it } from 'vitest';
import {
  contentCoding,
  type HeaderList,
  headerListFromRaw,
  headerValue,
  headerValues,
  withHeader,
  withoutHeaders,
} from '../../src/domain/headers.ts';

const HEADERS: HeaderList = [
  ['Accept', 'a/b'],
  ['Location', '/x'],
  ['ACCEPT', 'c/d'],
];

describe('headerListFromRaw', () => {
  it('pairs names and values in turn, repeated names and capitals kept', () => {
    expect(headerListFromRaw(['Accept', 'a/b', 'Location', '/x', 'ACCEPT', 'c/d'])).toEqual(HEADERS);
    expect(headerListFromRaw([])).toEqual([]);
  });

  it('gives a name without a value an empty one', () => {
    expect(headerListFromRaw(['A', '1', 'B'])).toEqual([
      ['A', '1'],
      ['B', ''],
    ]);
  });
});

describe('headerValue and headerValues', () => {
  it('find a field whatever its case, in order', () => {
    expect(headerValue(HEADERS, 'accept')).toBe('a/b');
    expect(headerValues(HEADERS, 'accepT')).toEqual(['a/b', 'c/d']);
  });

  it('find nothing that is absent', () => {
    expect(headerValue(HEADERS, 'Link')).toBeUndefined();
    expect(headerValues(HEADERS, 'Link')).toEqual([]);
  });

  it('tell an empty value from an absent field', () => {
    expect(headerValue([['Accept', '']], 'accept')).toBe('');
  });
});

describe('withoutHeaders', () => {
  it('drops every field of the names, whatever the case', () => {
    expect(withoutHeaders(HEADERS, 'aCCept', 'Link')).toEqual([['Location', '/x']]);
  });
});

describe('contentCoding', () => {
  it.each([
    [' GZip ', 'gzip'],
    ['br, gzip', 'br, gzip'],
    ['Identity', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %o is %o', (value, coding) => {
    expect(contentCoding(value === undefined ? [] : [['content-encoding', value]])).toBe(coding);
  });
});

describe('withHeader', () => {
  it('appends a new field and keeps the capitals given', () => {
    expect(withHeader(HEADERS, 'ETag', '"x"')).toEqual([...HEADERS, ['ETag', '"x"']]);
  });

  it('replaces all fields of the name by one, where the first stood', () => {
    expect(withHeader(HEADERS, 'accept', 'e/f')).toEqual([
      ['accept', 'e/f'],
      ['Location', '/x'],
    ]);
  });

  it('changes nothing when applied twice, and never its argument', () => {
    const once = withHeader(HEADERS, 'Accept', 'e/f');
    expect(withHeader(once, 'Accept', 'e/f')).toEqual(once);
    expect(HEADERS).toHaveLength(3);
  });
});
