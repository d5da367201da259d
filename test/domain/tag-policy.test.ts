import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTag, type Tag } from '../../src/domain/reference.ts';
import { compileTagRules, judgeTag, parseTagPattern, stretchedTtl } from '../../src/domain/tag-policy.ts';

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

describe('a shrinking budget of requests', () => {
  const policy = { staleWhileRevalidate: 5, staleFor: 100, notFoundTtl: 0 };

  it.each([
    [1, 10],
    [0.5, 10],
    [0.25, 20],
    [0.1, 50],
    [0.05, 100],
    [0.049, 10],
    [0, 10],
  ])('of %d has a tag of 10 ms believed for %i ms', (budget, ttl) => {
    expect(stretchedTtl(10, policy, budget)).toBe(ttl);
  });

  it('never has a tag believed for longer than it could be answered during an outage', () => {
    const times = fc.nat({ max: 1e9 });
    fc.assert(
      fc.property(times, times, fc.double({ min: 0, max: 1, noNaN: true }), times, (ttl, staleFor, budget, age) => {
        const judge = (share?: number) => judgeTag(age, ttl, { ...policy, staleWhileRevalidate: 0, staleFor }, share);
        expect(stretchedTtl(ttl, { staleFor }, budget)).toBeGreaterThanOrEqual(ttl);
        expect(judge(budget) === 'expired').toBe(judge() === 'expired');
        if (judge() === 'fresh') expect(judge(budget)).toBe('fresh');
      }),
    );
  });

  it('leaves tags alone that are always asked for, and those that are never', () => {
    expect(stretchedTtl(0, policy, 0.1)).toBe(0);
    expect(stretchedTtl(Number.POSITIVE_INFINITY, policy, 0.1)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [9, 'fresh'],
    [10, 'spared'],
    [109, 'spared'],
    [110, 'expired'],
  ])('that is nearly used up makes a tag of %i ms %s', (age, state) => {
    expect(judgeTag(age, 10, policy, 0.04)).toBe(state);
  });

  it.each([
    [19, 'fresh'],
    [20, 'refreshing'],
    [24, 'refreshing'],
    [25, 'stale'],
    [110, 'expired'],
  ])('that is half of a half makes a tag of %i ms %s', (age, state) => {
    expect(judgeTag(age, 10, policy, 0.25)).toBe(state);
  });
});

describe('a pattern of tags', () => {
  it.each(['latest', '1.*', '*', 'v*-rc*'])('may be %s', (text) => expect(parseTagPattern(text)).toBe(text));
  it.each(['', 'a b', 'a/b', 'x'.repeat(129)])('may not be "%s"', (text) =>
    expect(parseTagPattern(text)).toBeUndefined(),
  );
});
