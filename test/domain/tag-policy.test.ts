import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTag, type Tag } from '../../src/domain/reference.ts';
import { compileTagRules, judgeTag } from '../../src/domain/tag-policy.ts';

const tag = (text: string): Tag => parseTag(text) ?? expect.unreachable(text);

describe('the time to live of a tag', () => {
  const ttlOf = compileTagRules(
    [
      { pattern: 'v*', ttl: 3_600 },
      { pattern: '*-rc*', ttl: 5 },
      { pattern: 'sha-*', ttl: Number.POSITIVE_INFINITY },
      { pattern: 'v1.2', ttl: 7 },
      { pattern: '15', ttl: 9 },
    ],
    60,
  );

  it.each([
    ['v2', 3_600],
    ['v2-rc1', 3_600],
    ['nightly-rc1', 5],
    ['sha-0af3', Number.POSITIVE_INFINITY],
    ['latest', 60],
    ['1v', 60],
  ])('of %s is that of the first pattern that matches, or that of all others', (name, ttl) => {
    expect(ttlOf(tag(name))).toBe(ttl);
  });

  it.each([
    ['v1.2', 7],
    ['15', 9],
    ['v1x2', 3_600],
  ])('of %s is that of the rule that names it, wherever that stands', (name, ttl) => {
    expect(ttlOf(tag(name))).toBe(ttl);
  });

  it('takes every sign but the star for itself', () => {
    const signs = fc.stringMatching(/^[\w.-]{1,20}$/).filter((text) => parseTag(text) !== undefined);
    fc.assert(
      fc.property(signs, signs, (pattern, other) => {
        const matched = compileTagRules([{ pattern: `${pattern}*`, ttl: 1 }], 2)(tag(other)) === 1;
        expect(matched).toBe(other.startsWith(pattern));
      }),
    );
  });
});

describe('a tag that was confirmed', () => {
  const policy = { staleWhileRevalidate: 5, staleFor: 100, notFoundTtl: 0 };

  it.each([
    [0, 'fresh'],
    [9, 'fresh'],
    [10, 'refreshing'],
    [14, 'refreshing'],
    [15, 'stale'],
    [109, 'stale'],
    [110, 'expired'],
  ])('%i ms ago is %s', (age, state) => {
    expect(judgeTag(age, 10, policy)).toBe(state);
  });

  it('in the future, after the clock was set back, is neither fresh nor forgotten', () => {
    expect(judgeTag(-1, 10, policy)).toBe('stale');
    expect(judgeTag(-86_400_000, Number.POSITIVE_INFINITY, policy)).toBe('stale');
  });

  it('is fresh for ever when it never moves', () => {
    expect(judgeTag(1e15, Number.POSITIVE_INFINITY, policy)).toBe('fresh');
  });
});
