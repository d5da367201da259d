import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { asksAsNobody, createAnonymousTokens } from '../../src/http/anonymous-tokens.ts';

const token = 'eyJhbGciOi.x.y';
const shown: HeaderList = [['Authorization', `Bearer ${token}`]];

describe('a token that everybody gets', () => {
  it('is known again at the registry that it is for, in any spelling of its scheme', () => {
    const tokens = createAnonymousTokens(() => 0);
    tokens.note('hub', { token, lifetime: 300 });
    expect(tokens.isAllOf('hub', shown)).toBe(true);
    expect(tokens.isAllOf('hub', [['authorization', `bearer  ${token}`]])).toBe(true);
    expect(tokens.isAllOf('quay', shown)).toBe(false);
  });

  it.each<[string, HeaderList]>([
    ['nothing', []],
    ['another token', [['Authorization', 'Bearer other']]],
    ['the token as a password', [['Authorization', `Basic ${token}`]]],
    ['a cookie as well', [...shown, ['Cookie', 'session=1']]],
    ['the key of an account as well', [...shown, ['X-Api-Key', 'k']]],
    ['the token in another field', [['X-Auth-Token', `Bearer ${token}`]]],
    ['two tokens', [...shown, ['Authorization', 'Bearer other']]],
  ])('is not what a request shows with %s', (_, headers) => {
    const tokens = createAnonymousTokens(() => 0);
    tokens.note('hub', { token, lifetime: 300 });
    expect(tokens.isAllOf('hub', headers)).toBe(false);
  });

  it('counts as one of somebody before it ends', () => {
    let now = 0;
    const tokens = createAnonymousTokens(() => now);
    tokens.note('hub', { token, lifetime: 300 });
    now = 269_999;
    expect(tokens.isAllOf('hub', shown)).toBe(true);
    now = 270_000;
    expect(tokens.isAllOf('hub', shown)).toBe(false);
  });

  it('is forgotten when ten thousand others came after it', () => {
    const tokens = createAnonymousTokens(() => 0);
    for (let number = 0; number <= 10_000; number += 1) tokens.note('hub', { token: `t${number}`, lifetime: 300 });
    expect(tokens.isAllOf('hub', [['Authorization', 'Bearer t0']])).toBe(false);
    expect(tokens.isAllOf('hub', [['Authorization', 'Bearer t1']])).toBe(true);
  });
});

describe('a request for a token', () => {
  const form = (text: string) => new URLSearchParams(text);

  it('asks as nobody with nothing but a service and scopes', () => {
    expect(asksAsNobody('GET', [['Accept', '*/*']], form('service=s&scope=a&scope=b&client_id=c'))).toBe(true);
  });

  it.each<[string, string, HeaderList, string]>([
    ['a password', 'GET', [['Authorization', 'Basic YTph']], 'service=s'],
    ['a cookie', 'GET', [['Cookie', 'session=1']], 'service=s'],
    ['the key of an account', 'GET', [['Private-Token', 'k']], 'service=s'],
    ['the name of an account', 'GET', [], 'service=s&account=user'],
    ['a token of its own', 'GET', [], 'private_token=x'],
    ['a form', 'POST', [], 'service=s'],
  ])('asks as somebody with %s', (_, method, headers, text) => {
    expect(asksAsNobody(method, headers, form(text))).toBe(false);
  });
});
