import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import {
  formatContentRange,
  ifRangeAllows,
  matchesEntityTag,
  parseContentRange,
  parseRange,
} from '../../src/domain/range.ts';

const DIGEST = digestOf(new Uint8Array());
const OTHER = digestOf(new Uint8Array([1]));

describe('parseRange', () => {
  it.each<[string, number, { start: number; end: number }]>([
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=5-9', 10, { start: 5, end: 9 }],
    ['bytes=5-', 10, { start: 5, end: 9 }],
    ['bytes=5-99', 10, { start: 5, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-99', 10, { start: 0, end: 9 }],
    ['Bytes=1-2 ', 10, { start: 1, end: 2 }],
    ['bytes=1-99999999999999999999999', 10, { start: 1, end: 9 }],
    ['bytes=-99999999999999999999999', 10, { start: 0, end: 9 }],
  ])('reads %j of %i bytes', (header, size, range) => {
    expect(parseRange(header, size)).toEqual(range);
  });

  it.each<[string, number]>([
    ['bytes=10-', 10],
    ['bytes=10-20', 10],
    ['bytes=500-0', 1000],
    ['bytes=2-1', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=0-0', 0],
    ['bytes=-5', 0],
    ['bytes=99999999999999999999999-', 10],
    [`bytes=${'9'.repeat(400)}-`, 10],
  ])('cannot satisfy %j of %i bytes', (header, size) => {
    expect(parseRange(header, size)).toBe('unsatisfiable');
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes 0-1',
    'bytes=0x1-2',
    'bytes=--1',
    'bytes=1.5-2',
  ])('asks for the whole when the header is %j', (header) => {
    expect(parseRange(header, 10)).toBeUndefined();
  });

  it('stays within the content and comes back through Content-Range', () => {
    const number = fc.oneof(fc.nat({ max: 30 }), fc.nat());
    fc.assert(
      fc.property(fc.option(number), fc.option(number), fc.nat({ max: 30 }), (first, last, size) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start).toBeLessThanOrEqual(range.end);
        expect(range.end).toBeLessThan(size);
        expect(parseContentRange(formatContentRange(range, size))).toEqual({ ...range, size });
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (header, size) => {
        expect(() => parseRange(`bytes=${header}`, size)).not.toThrow();
        expect(() => parseContentRange(`bytes ${header}`)).not.toThrow();
      }),
    );
  });
});

describe('formatContentRange', () => {
  it('says which part of how much, or how much there would be', () => {
    expect(formatContentRange({ start: 5, end: 9 }, 99)).toBe('bytes 5-9/99');
    expect(formatContentRange('unsatisfiable', 99)).toBe('bytes */99');
  });
});

describe('parseContentRange', () => {
  it('reads a known and an unknown size', () => {
    expect(parseContentRange('bytes 5-9/99')).toEqual({ start: 5, end: 9, size: 99 });
    expect(parseContentRange(' Bytes 5-9/* ')).toEqual({ start: 5, end: 9 });
  });

  it.each([
    undefined,
    '',
    'bytes */99',
    'bytes 5-9',
    'bytes 9-5/99',
    'bytes 5-99/99',
    'bytes=5-9/99',
    '5-9/99',
    'bytes 0-99999999999999999999/*',
    'bytes 0-1/99999999999999999999',
  ])('refuses %j', (header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });
});

describe('matchesEntityTag', () => {
  it.each([`"${DIGEST}"`, DIGEST, `W/"${DIGEST}"`, `"${OTHER}", W/"${DIGEST}"`, `"x" ,${DIGEST}`, '*', ' * '])(
    'finds the digest in %j',
    (header) => {
      expect(matchesEntityTag([header], DIGEST)).toBe(true);
    },
  );

  it('looks at every line of the field', () => {
    expect(matchesEntityTag([`"${OTHER}"`, `W/"${DIGEST}"`], DIGEST)).toBe(true);
    expect(matchesEntityTag([], DIGEST)).toBe(false);
    expect(matchesEntityTag([`"${OTHER}"`, '*'], DIGEST)).toBe(false);
  });

  it.each(['', `"${OTHER}"`, `"x,${DIGEST}"`, `"${DIGEST}`, `w/"${DIGEST}"`, `"*"`, '"",""'])(
    'does not find it in %j',
    (header) => {
      expect(matchesEntityTag([header], DIGEST)).toBe(false);
    },
  );
});

describe('ifRangeAllows', () => {
  it.each([undefined, `"${DIGEST}"`, DIGEST, ` "${DIGEST}" `])('allows a range under %j', (header) => {
    expect(ifRangeAllows(header, DIGEST)).toBe(true);
  });

  it.each([`W/"${DIGEST}"`, `"${OTHER}"`, 'Wed, 21 Oct 2015 07:28:00 GMT', '', '*', `"${DIGEST}", "x"`])(
    'sends the whole under %j',
    (header) => {
      expect(ifRangeAllows(header, DIGEST)).toBe(false);
    },
  );
});
