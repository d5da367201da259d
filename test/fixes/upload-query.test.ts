import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carriesUploadState, decodeEscapedState, separateQuestionMarks } from '../../src/fixes/upload-query.ts';

const rawQueries = fc
  .array(fc.constantFrom('a', 'digest', '=', '&', '?', '%', '25', '3D', '2B', '_state', ':', 'ü', ' '), {
    maxLength: 16,
  })
  .map((parts) => parts.join(''));

describe('a raw upload query', () => {
  it('has each ? in front of a name made into &, once and for all', () => {
    expect(separateQuestionMarks('_state=abc==?digest=sha256:ab')).toBe('_state=abc==&digest=sha256:ab');
    expect(separateQuestionMarks('?digest=x')).toBe('digest=x');
    expect(separateQuestionMarks('a=what?&b=?!')).toBe('a=what?&b=?!');
    fc.assert(
      fc.property(rawQueries, (query) => {
        const once = separateQuestionMarks(query);
        expect(separateQuestionMarks(once)).toBe(once);
      }),
    );
  });

  it('has its state decoded until no percent sign is escaped, and what the client writes left alone', () => {
    expect(decodeEscapedState('_state=ab%253D%253d&x=%25252B')).toBe('_state=ab%3D%3d&x=%2B');
    expect(decodeEscapedState('digest=%253D&mount=%253D&from=%253D')).toBe('digest=%253D&mount=%253D&from=%253D');
    expect(decodeEscapedState('_state=100%25&y=%25zz')).toBe('_state=100%25&y=%25zz');
    fc.assert(
      fc.property(rawQueries, (query) => {
        const once = decodeEscapedState(query);
        expect(decodeEscapedState(once)).toBe(once);
      }),
    );
  });

  it.each([
    ['_state=x&digest=y', true],
    ['digest=y&token', true],
    ['digest=y&mount=a&from=b', false],
    ['&digest=y', false],
    ['', false],
  ])('knows whether %s carries state of the registry', (query, expected) => {
    expect(carriesUploadState(query)).toBe(expected);
  });

  it('is repaired in linear time, however it is made', () => {
    const hostile = [`${'?'.repeat(60_000)}`, `a=${'%25'.repeat(20_000)}`, `${'?a'.repeat(30_000)}`];
    for (const query of hostile) {
      expect(separateQuestionMarks(decodeEscapedState(query)).length).toBeLessThanOrEqual(query.length);
    }
  });
});
