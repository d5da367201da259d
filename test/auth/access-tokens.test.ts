import { describe, expect, it } from 'vitest';
import { newAccessToken } from '../../src/auth/access-token-text.ts';
import { checkAccessToken, issueAccessToken } from '../../src/auth/access-tokens.ts';
import type { AccessTokenRecord, AccessTokenWish } from '../../src/domain/access-token.ts';

function stage() {
  const kept = new Map<string, AccessTokenRecord>();
  const keeper = {
    find: (hash: string) => kept.get(hash),
    add: (hash: string, record: AccessTokenRecord) => void kept.set(hash, record),
  };
  const issue = (wish: Partial<AccessTokenWish> = {}) =>
    issueAccessToken({ user: 'bob', note: '', ...wish }, keeper, 1_000);
  return { kept, issue, check: (token: string, now = 1_000) => checkAccessToken(token, 'team', keeper, now) };
}

describe('a token', () => {
  it('counts for its user until its end, and is kept as a hash only', () => {
    const { kept, issue, check } = stage();
    const { token, record } = issue({ lifetime: 500 });
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{10}$/),
      user: 'bob',
      note: '',
      createdAt: 1_000,
      expiresAt: 1_500,
    });
    expect(check(token, 1_499)).toEqual({ record });
    expect(check(token, 1_500)).toEqual({ wrong: `the token ${record.id}, which ended on 1970-01-01T00:00:01.500Z` });
    expect(JSON.stringify([...kept])).not.toContain(token.slice(4));
  });

  it('without an end counts for ever', () => {
    const { issue, check } = stage();
    expect(check(issue().token, Number.MAX_SAFE_INTEGER)).toHaveProperty('record');
  });

  it('counts at its endpoints alone', () => {
    const { issue, check } = stage();
    expect(check(issue({ endpoints: ['other', 'team'] }).token)).toHaveProperty('record');
    const { token, record } = issue({ endpoints: ['other'] });
    expect(check(token)).toEqual({ wrong: `the token ${record.id}, which is for other endpoints` });
  });

  it('that is damaged is not looked up, and one that nobody made is not known', () => {
    const { issue, check } = stage();
    expect(check(issue().token.slice(0, -1))).toEqual({ wrong: expect.stringContaining('cut or mistyped') });
    expect(check(newAccessToken())).toEqual({ wrong: 'a token that was revoked or never made here' });
  });
});
