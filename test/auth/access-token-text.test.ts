import { describe, expect, it } from 'vitest';
import {
  hashAccessToken,
  isAccessToken,
  newAccessToken,
  resemblesAccessToken,
} from '../../src/auth/access-token-text.ts';

describe('a token of manifix', () => {
  it('is one word of its own form, another one each time', () => {
    const tokens = Array.from({ length: 100 }, newAccessToken);
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) {
      expect(token).toMatch(/^mfx_[0-9A-Za-z]{38}$/);
      expect([resemblesAccessToken(token), isAccessToken(token)]).toEqual([true, true]);
    }
  });

  it('is known as damaged when it was cut or mistyped', () => {
    const token = newAccessToken();
    const other = token[10] === 'a' ? 'b' : 'a';
    const damaged = [
      token.slice(0, -1),
      `${token}a`,
      token.slice(0, 10) + other + token.slice(11),
      'mfx_',
      `x${token}`,
    ];
    expect(damaged.map(isAccessToken)).toEqual(damaged.map(() => false));
  });

  it('is kept as a hash that does not show it', () => {
    const token = newAccessToken();
    expect(hashAccessToken(token)).toMatch(/^[\w-]{43}$/);
    expect(hashAccessToken(token)).not.toContain(token.slice(4, 10));
  });
});
