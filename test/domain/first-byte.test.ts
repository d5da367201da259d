import { describe, expect, it } from 'vitest';
import { headOfFirstByte } from '../../src/domain/first-byte.ts';

const digest = ['Docker-Content-Digest', 'sha256:x'] as const;

describe('the head of content, from the answer to a GET of its first byte', () => {
  it('is that of the whole', () => {
    const headers = [digest, ['Content-Range', 'bytes 0-0/1234'], ['Content-Length', '1']] as const;
    expect(headOfFirstByte({ status: 206, headers })).toEqual({
      status: 200,
      headers: [digest, ['Content-Length', '1234']],
    });
  });

  it('knows content without a first byte', () => {
    const headers = [
      ['Content-Range', 'bytes */0'],
      ['Content-Length', '17'],
    ] as const;
    expect(headOfFirstByte({ status: 416, headers })).toEqual({ status: 200, headers: [['Content-Length', '0']] });
  });

  it('states no length that nobody knows', () => {
    for (const value of ['bytes 0-0/*', 'nonsense']) {
      const headers = [digest, ['Content-Range', value], ['Content-Length', '1']] as const;
      expect(headOfFirstByte({ status: 206, headers })).toEqual({ status: 200, headers: [digest] });
    }
  });

  it.each([200, 307, 404, 416, 503])('stays as it is with status %i', (status) => {
    const answer = { status, headers: [['Content-Length', '7']] as const };
    expect(headOfFirstByte(answer)).toBe(answer);
    const other = { status, headers: [['Content-Range', 'bytes */7']] as const };
    expect(headOfFirstByte(other)).toBe(other);
  });
});
