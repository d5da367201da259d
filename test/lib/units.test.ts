import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSize, formatDuration, formatSize, parseDuration, parseSize } from '../../src/lib/units.ts';

describe('parseSize', () => {
  it.each([
    ['0B', 0],
    ['512B', 512],
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['50GiB', 53_687_091_200],
    ['1.5KiB', 1536],
    ['2TiB', 2_199_023_255_552],
  ])('reads %s as bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '5', '5GB', '5 GiB', '-1B', 'GiB', '5gib', '1e3B', '9999999TiB', '5constructor', '1.B'])(
    'refuses %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['0s', 0],
    ['60s', 60_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0.5s', 500],
  ])('reads %s as milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '60', '1y', '1 s', '-1s', '5S'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatting', () => {
  it('chooses the largest unit that keeps the number whole', () => {
    expect(formatSize(53_687_091_200)).toBe('50GiB');
    expect(formatSize(1536)).toBe('1536B');
    expect(formatSize(0)).toBe('0B');
    expect(formatDuration(90_000)).toBe('90s');
    expect(formatDuration(0)).toBe('0ms');
  });

  it('is read back as the same amount', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (amount) => {
        expect(parseSize(formatSize(amount))).toBe(amount);
        expect(parseDuration(formatDuration(amount))).toBe(amount);
      }),
    );
  });
});

describe('describeSize', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1536, '1.5 KiB'],
    [10_000_000, '9.5 MiB'],
    [2 ** 30, '1 GiB'],
    [5 * 2 ** 50, '5,120 TiB'],
  ])('writes %d bytes for people: %s', (bytes, text) => {
    expect(describeSize(bytes)).toBe(text);
  });
});
