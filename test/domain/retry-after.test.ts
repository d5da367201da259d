import { describe, expect, it } from 'vitest';
import { formatRetryAfter, parseRetryAfter, retryAfterOf } from '../../src/domain/retry-after.ts';

const NOW = Date.parse('Tue, 03 Nov 2026 10:00:00 GMT');

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    [' 7 ', 7_000],
    ['3600', 3_600_000],
    ['Tue, 03 Nov 2026 10:00:30 GMT', 30_000],
    ['Tuesday, 03-Nov-26 10:01:00 GMT', 60_000],
    ['Tue, 03 Nov 2026 09:00:00 GMT', 0],
  ])('%j is read as milliseconds from now on', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([undefined, '', '-1', '1.5', 'soon', '2026-11-03', '1e9', 'Xxx, GMT'])('%j is not one', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it.each([
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
  ])('is written for %i ms so that nobody comes back too early', (milliseconds, expected) => {
    expect(formatRetryAfter(milliseconds)).toBe(expected);
  });

  it('is taken over into a refusal that is passed on, and nothing else is', () => {
    expect(
      retryAfterOf([
        ['retry-after', '7'],
        ['Server', 'nginx'],
      ]),
    ).toEqual([['Retry-After', '7']]);
    expect(retryAfterOf([])).toEqual([]);
  });
});
