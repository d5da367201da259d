import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { parseRateLimit, shareLeft } from '../../src/domain/rate-limit.ts';

const NOW = Date.parse('Tue, 03 Nov 2026 10:00:00 GMT');
const three = (limit: string, remaining: string, reset?: string): HeaderList => [
  ['RateLimit-Limit', limit],
  ['ratelimit-remaining', remaining],
  ...(reset === undefined ? [] : [['RateLimit-Reset', reset] as const]),
];

describe('what a registry says about its limit', () => {
  it.each<[string, HeaderList, object]>([
    ['the Docker Hub', three('100;w=21600', '76;w=21600'), { limit: 100, remaining: 76, window: 21_600_000 }],
    ['three fields', three('100', '0', '30'), { limit: 100, remaining: 0, reset: 30_000 }],
    ['policies behind the limit', three('10, 10;w=1, 50;w=60', '9'), { limit: 10, remaining: 9, window: 1_000 }],
    ['GitLab', three('60', '59', String(NOW / 1_000 + 60)), { limit: 60, remaining: 59, reset: 60_000 }],
    ['GitLab, late', three('60', '59', String(NOW / 1_000 - 60)), { limit: 60, remaining: 59, reset: 0 }],
    ['one field', [['RateLimit', 'limit=100, remaining=50, reset=5']], { limit: 100, remaining: 50, reset: 5_000 }],
    ['one field in another order', [['RateLimit', 'Remaining=1,limit=2']], { limit: 2, remaining: 1 }],
    ['more than all', three('100', '101'), { limit: 100, remaining: 100 }],
    ['a reset that is none', three('100', '1', 'soon'), { limit: 100, remaining: 1 }],
    ['a window that is none', three('100;w=0', '1;w=x'), { limit: 100, remaining: 1 }],
  ])('is read from %s', (_, headers, expected) => {
    expect(parseRateLimit(headers, NOW)).toEqual(expected);
  });

  it.each<[string, HeaderList]>([
    ['nothing', []],
    ['a limit alone', [['RateLimit-Limit', '100']]],
    ['a remainder alone', [['RateLimit-Remaining', '100']]],
    ['no number', three('many', '5')],
    ['a negative number', three('100', '-1')],
    ['a fraction', three('1.5', '1')],
    ['a limit of nothing', three('0', '0')],
    ['an absurd number', three('99999999999', '5')],
    ['one field without numbers', [['RateLimit', 'limit, remaining=']]],
    ['the later draft', [['RateLimit', '"default";r=50;t=30']]],
  ])('is not read from %s', (_, headers) => {
    expect(parseRateLimit(headers, NOW)).toBeUndefined();
  });

  it('is read from any numbers, and never throws or leaves its bounds on any text', () => {
    const amount = fc.integer({ min: 1, max: 999_999_999 });
    fc.assert(
      fc.property(amount, amount, amount, (limit, remaining, window) => {
        const headers = three(`${limit};w=${window}`, `${remaining};w=${window}`);
        const expected = { limit, remaining: Math.min(limit, remaining), window: window * 1_000 };
        expect(parseRateLimit(headers, NOW)).toEqual(expected);
      }),
    );
    const names = fc.constantFrom('RateLimit', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset');
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(?:limit=|remaining=|reset=)?\d{0,12}[;,]?(?:w=)?\d{0,3}$/),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, texts)), fc.nat(), (headers, elapsed) => {
        const said = parseRateLimit(headers, NOW);
        if (said === undefined) return;
        const share = shareLeft(said, elapsed);
        expect(share >= 0 && share <= 1).toBe(true);
      }),
    );
  });
});

describe('what is left of a limit', () => {
  it.each([
    [0, 0.25],
    [29_999, 0.25],
    [30_000, 1],
  ])('is as it was said until the reset: after %i ms %d', (elapsed, share) => {
    expect(shareLeft({ limit: 100, remaining: 25, reset: 30_000, window: 1 }, elapsed)).toBe(share);
  });

  it.each([
    [0, 0],
    [2_160_000, 0.1],
    [21_600_000, 1],
    [99_999_999, 1],
  ])('comes back evenly within the window where no reset was said: after %i ms %d', (elapsed, share) => {
    expect(shareLeft({ limit: 100, remaining: 0, window: 21_600_000 }, elapsed)).toBe(share);
  });

  it('comes back within an hour where nothing was said, and within a day whatever was', () => {
    expect(shareLeft({ limit: 2, remaining: 1 }, 1_800_000)).toBe(1);
    expect(shareLeft({ limit: 2, remaining: 0, reset: 1e12 }, 86_400_000)).toBe(1);
    expect(shareLeft({ limit: 2, remaining: 0, window: 1e12 }, 86_400_000)).toBe(1);
  });
});
