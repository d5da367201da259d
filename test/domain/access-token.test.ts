import { describe, expect, it } from 'vitest';
import { parseTokenWish } from '../../src/domain/access-token.ts';

const DAY = 86_400_000;
const days = (text: string) => (/^\d+d$/.test(text) ? Number.parseInt(text, 10) * DAY : undefined);
const wishOf = (written: Readonly<Record<string, unknown>>) => parseTokenWish(written, days);

describe('the wish for a token', () => {
  it('names a user; the token ends after 90 days and counts everywhere', () => {
    expect(wishOf({ user: 'bob' })).toEqual({ user: 'bob', note: '', lifetime: 90 * DAY });
  });

  it('may name endpoints, an end and what it is for', () => {
    const written = { user: 'robot@ci', endpoints: ['team', 'other'], expires: '7d', note: 'nightly builds' };
    expect(wishOf(written)).toEqual({
      user: 'robot@ci',
      endpoints: ['team', 'other'],
      note: 'nightly builds',
      lifetime: 7 * DAY,
    });
    expect(wishOf({ user: 'bob', expires: 'never' })).toEqual({ user: 'bob', note: '' });
  });

  it.each([
    [{}, 'user: expected a name'],
    [{ user: '' }, 'user: expected a name'],
    [{ user: 'ci:bob' }, 'user: expected a name'],
    [{ user: 'bob and ann' }, 'user: expected a name'],
    [{ user: 'b\u001bob' }, 'user: expected a name'],
    [{ user: 'b'.repeat(101) }, 'user: expected a name'],
    [{ user: 'bob', endpoints: [] }, 'endpoints: expected a list of names'],
    [{ user: 'bob', endpoints: 'team' }, 'endpoints: expected a list of names'],
    [{ user: 'bob', endpoints: [1] }, 'endpoints: expected a list of names'],
    [{ user: 'bob', note: 'a\nb' }, 'note: expected one line'],
    [{ user: 'bob', note: 'x'.repeat(201) }, 'note: expected one line'],
    [{ user: 'bob', note: 1 }, 'note: expected one line'],
    [{ user: 'bob', expires: '90' }, 'expires: expected a time such as 90d, of at most a hundred years, or never'],
    [{ user: 'bob', expires: '0d' }, 'expires: expected a time such as 90d, of at most a hundred years, or never'],
    [
      { user: 'bob', expires: '99999999d' },
      'expires: expected a time such as 90d, of at most a hundred years, or never',
    ],
    [{ user: 'bob', expires: 90 }, 'expires: expected a time such as 90d, of at most a hundred years, or never'],
    [{ user: 'bob', ends: '9d' }, 'unknown key "ends"; known: user, endpoints, note, expires'],
  ])('that is wrong is told: %j', (written, wrong) => {
    expect(wishOf(written)).toEqual({ wrong: expect.stringContaining(wrong) });
  });
});
