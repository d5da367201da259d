import { describe, expect, it } from 'vitest';
import { headerValue } from '../../src/domain/headers.ts';
import { withFreshness } from '../../src/pipeline/freshness.ts';

describe('withFreshness', () => {
  it('lets caches keep a tag only if they ask, one copy for each Accept', () => {
    expect(withFreshness([], 'tag')).toEqual([
      ['Cache-Control', 'no-cache'],
      ['Vary', 'Accept'],
    ]);
  });

  it('lets caches keep a digest for good', () => {
    expect(withFreshness([], 'digest')).toEqual([['Cache-Control', 'max-age=31536000, immutable']]);
  });

  it.each([
    ['Origin', 'Origin, Accept'],
    ['accept', 'accept'],
    ['*', '*'],
  ])('keeps what the registry varies on: %s', (before, after) => {
    expect(headerValue(withFreshness([['Vary', before]], 'tag'), 'Vary')).toBe(after);
  });

  it.each(['no-store', 'private, max-age=60', 'Private'])('respects a registry that says %s', (value) => {
    expect(withFreshness([['Cache-Control', value]], 'digest')).toEqual([['Cache-Control', value]]);
  });

  it('replaces a lifetime that a tag does not have', () => {
    expect(headerValue(withFreshness([['Cache-Control', 'public, max-age=60']], 'tag'), 'Cache-Control')).toBe(
      'no-cache',
    );
  });
});
