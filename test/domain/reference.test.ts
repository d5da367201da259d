import { describe, expect, it } from 'vitest';
import { formatReference, parseReference, parseRepositoryName, parseTag } from '../../src/domain/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseRepositoryName', () => {
  it.each(['a', 'library/alpine', 'a.b_c__d---e/0', 'a/b/c/d', 'a'.repeat(255)])('accepts %j', (name) => {
    expect(parseRepositoryName(name)).toBe(name);
  });

  it.each([
    '',
    'A',
    'library/Alpine',
    '/a',
    'a/',
    'a//b',
    '..',
    'a/../b',
    'a/./b',
    'a..b',
    'a___b',
    'a._b',
    '-a',
    'a-',
    'a_',
    'a%2fb',
    'a\\b',
    'a;b',
    'a b',
    'a\u0000',
    'a\n',
    'ä',
    'a'.repeat(256),
  ])('refuses %j', (name) => {
    expect(parseRepositoryName(name)).toBeUndefined();
  });

  it('refuses a hostile name of a million characters at once', () => {
    expect(parseRepositoryName(`${'a-'.repeat(500_000)}!`)).toBeUndefined();
  });
});

describe('parseTag', () => {
  it.each(['latest', '1.0', '_', 'A', 'v1.2.3-rc_1', 'a'.repeat(128)])('accepts %j', (tag) => {
    expect(parseTag(tag)).toBe(tag);
  });

  it.each(['', '.a', '-a', 'a:b', 'a/b', 'a b', 'a+b', 'a\n', '..', 'é', 'a'.repeat(129)])('refuses %j', (tag) => {
    expect(parseTag(tag)).toBeUndefined();
  });
});

describe('parseReference', () => {
  it('reads a tag and writes it back', () => {
    const reference = parseReference('v1');
    expect(reference).toEqual({ kind: 'tag', tag: 'v1' });
    expect(reference && formatReference(reference)).toBe('v1');
  });

  it('reads a digest and writes it back', () => {
    const reference = parseReference(DIGEST);
    expect(reference).toEqual({ kind: 'digest', digest: DIGEST });
    expect(reference && formatReference(reference)).toBe(DIGEST);
  });

  it.each(['', 'sha256:short', DIGEST.toUpperCase(), '../x'])('refuses %j', (text) => {
    expect(parseReference(text)).toBeUndefined();
  });
});
