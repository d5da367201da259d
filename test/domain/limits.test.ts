import { describe, expect, it } from 'vitest';
import { bucketOf, describeRequestRate, formatRequestRate, parseRequestRate } from '../../src/domain/limits.ts';

describe('a rate of requests', () => {
  it('is a number in a second, a minute or an hour, and is written as it was read', () => {
    for (const text of ['50/s', '3000/m', '1/h']) {
      const rate = parseRequestRate(text);
      expect(rate && formatRequestRate(rate)).toBe(text);
    }
  });

  it('is nothing else', () => {
    for (const text of ['', '50', '50/d', '0/s', '-1/s', '1.5/s', '50 /s', '50/s ', '1000000000/s']) {
      expect(parseRequestRate(text)).toBeUndefined();
    }
  });

  it('is told in words', () => {
    const told = ['50/s', '1/m', '1000/h'].map(parseRequestRate).map((rate) => rate && describeRequestRate(rate));
    expect(told).toEqual(['50 requests a second', '1 request a minute', '1000 requests an hour']);
  });

  it('lets as many come at once as it names, or as many as are said', () => {
    expect(bucketOf({ requests: 50, per: 's' })).toEqual({ perSecond: 50, burst: 50 });
    expect(bucketOf({ requests: 120, per: 'm' }, 7)).toEqual({ perSecond: 2, burst: 7 });
    expect(bucketOf({ requests: 3_600, per: 'h' })).toEqual({ perSecond: 1, burst: 3_600 });
  });
});
