import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/domain/principal.ts';
import { formatWho, membershipsOf, parseWho, traitsOf } from '../../src/domain/who.ts';

describe('whom a rule is about', () => {
  it.each([
    ['everybody', { kind: 'everybody' }],
    ['authenticated', { kind: 'authenticated' }],
    ['bob', { kind: 'user', name: 'bob' }],
    ['cert:builder', { kind: 'user', name: 'cert:builder' }],
    ['ci:repo:acme/app', { kind: 'user', name: 'ci:repo:acme/app' }],
    ['group:dev', { kind: 'group', name: 'dev' }],
    ['group:ci:dev', { kind: 'group', name: 'ci:dev' }],
    ['claim:ci:ref=refs/heads/*', { kind: 'claim', claim: 'ci:ref', pattern: 'refs/heads/*' }],
    ['claim:ci:a:b=x=y z', { kind: 'claim', claim: 'ci:a:b', pattern: 'x=y z' }],
  ])('%s is read, and written the same', (text, who) => {
    const read = parseWho(text);
    expect(read).toEqual(who);
    expect(read && formatWho(read)).toBe(text);
  });

  it.each(['', 'a b', 'a,b', 'group:', 'claim:ci', 'claim:ci:ref', 'claim:ci:ref=', 'claim:=x'])(
    '"%s" is nobody',
    (text) => {
      expect(parseWho(text)).toBeUndefined();
    },
  );
});

describe('what a client is', () => {
  const bob: Principal = {
    method: 'oidc',
    user: 'bob',
    groups: ['ci:dev'],
    claims: { 'ci:ref': 'main', 'ci:aud': ['a', 2, { b: 1 }, null], 'ci:ok': true },
  };

  it('is told by user, groups of both kinds and claims', () => {
    const memberships = membershipsOf({ dev: ['ann', 'bob'], ops: ['bob'] });
    expect(traitsOf(bob, memberships).map(formatWho)).toEqual([
      'everybody',
      'authenticated',
      'bob',
      'group:ci:dev',
      'group:dev',
      'group:ops',
      'claim:ci:ref=main',
      'claim:ci:aud=a',
      'claim:ci:aud=2',
      'claim:ci:ok=true',
    ]);
    expect(traitsOf({ ...bob, groups: [], claims: {} }, membershipsOf({})).map(formatWho)).toEqual([
      'everybody',
      'authenticated',
      'bob',
    ]);
  });

  it('is everybody without credentials, whatever else it says', () => {
    const { user: _, ...nobody } = bob;
    expect(traitsOf(nobody, new Map())).toEqual([{ kind: 'everybody' }]);
  });
});
