import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compilePolicy,
  EVERY_REPOSITORY,
  parseRepositoryPattern,
  type RepositoryPattern,
} from '../../src/domain/repository-policy.ts';

function pattern(text: string): RepositoryPattern {
  const parsed = parseRepositoryPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no pattern`);
  return parsed;
}

const allows = (allow: string[], deny: string[], name: string) =>
  compilePolicy(allow.map(pattern), deny.map(pattern)).allows(name);

describe('a pattern', () => {
  it.each(['team/app', 'team/*', '**', '*', 'team/**', '**/app', 'a/**/b', 'v*', '*.x', 'a_*-b'])(
    'may be %s',
    (text) => {
      expect(parseRepositoryPattern(text)).toBe(text);
    },
  );

  it.each(['', 'Team/*', 'a**', '**b', '/a', 'a/', 'a//b', '***', 'a/?', 'a:b', '-*', '..', 'a b', '[a]'])(
    'may not be %j, which no name matches',
    (text) => {
      expect(parseRepositoryPattern(text)).toBeUndefined();
    },
  );

  it.each([
    ['team/app', ['team/app'], ['team/apps', 'xteam/app', 'team/app/x', 'team']],
    ['team/*', ['team/a', 'team/a-b.c'], ['team', 'team/a/b', 'teams/a']],
    ['team/**', ['team/a', 'team/a/b/c'], ['team', 'teams/a', 'a/team/b']],
    ['**', ['a', 'a/b/c'], []],
    ['*', ['a', 'a.b'], ['a/b']],
    ['**/app', ['app', 'a/app', 'a/b/app'], ['a/apps', 'xapp', 'app/a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a', 'ab', 'a/xb']],
    ['a.b', ['a.b'], ['a-b', 'aab']],
    ['v*-dev', ['v-dev', 'v1-dev'], ['v1-dev2', 'v/x-dev']],
  ])('%s', (text, matching, others) => {
    expect(matching.filter((name) => !allows([text], [], name))).toEqual([]);
    expect(others.filter((name) => allows([text], [], name))).toEqual([]);
  });

  it('without a star matches itself alone', () => {
    const name = fc.stringMatching(/^[a-z]{1,5}(?:[./_-][a-z]{1,5}){0,3}$/);
    fc.assert(fc.property(name, name, (one, other) => allows([one], [], other) === (one === other)));
  });
});

describe('a policy', () => {
  it('serves what is allowed and not denied', () => {
    expect(allows(['team/**', 'base'], ['team/secret/**'], 'team/app')).toBe(true);
    expect(allows(['team/**', 'base'], ['team/secret/**'], 'base')).toBe(true);
    expect(allows(['team/**'], ['team/secret/**'], 'team/secret/app')).toBe(false);
    expect(allows(['team/secret/app'], ['team/secret/**'], 'team/secret/app')).toBe(false);
    expect(allows(['**'], ['x'], 'y')).toBe(true);
    expect(allows([], [], 'y')).toBe(false);
  });

  it('knows whether it hides anything', () => {
    expect(compilePolicy([EVERY_REPOSITORY], []).restricts).toBe(false);
    expect(compilePolicy([pattern('a/*')], []).restricts).toBe(true);
    expect(compilePolicy([EVERY_REPOSITORY], [pattern('a')]).restricts).toBe(true);
    expect(compilePolicy([], []).restricts).toBe(true);
  });
});
