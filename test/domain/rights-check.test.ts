import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action, ANONYMOUS, type Principal } from '../../src/domain/principal.ts';
import type { RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { compileRights, type RightsRule } from '../../src/domain/rights.ts';
import { findIdleRules } from '../../src/domain/rights-check.ts';
import { parseWho, type Who } from '../../src/domain/who.ts';

const patterns = (...texts: readonly string[]) => texts as readonly RepositoryPattern[];
const ALL = { allow: patterns('**'), deny: [] };

function rule(who: string, actions: string, repositories: string, effect: RightsRule['effect'] = 'allow'): RightsRule {
  return {
    who: who.split(' ').map((text) => parseWho(text) as Who),
    effect,
    actions: actions.split(' ') as Action[],
    repositories: patterns(...repositories.split(' ')),
  };
}

describe('a rule that can never decide', () => {
  it.each([
    [[rule('bob', 'pull', 'app/**'), rule('bob', 'pull', 'app/x app/y/*', 'deny')], [[1, [0]]]],
    [[rule('everybody', 'pull push', '**'), rule('bob group:dev claim:ci:a=b', 'push', 'x')], [[1, [0]]]],
    [[rule('authenticated', 'pull', '**'), rule('everybody', 'pull', '**')], []],
    [[rule('group:dev', 'pull', 'a'), rule('ann', 'pull', 'a'), rule('bob', 'pull', 'a')], [[1, [0]]]],
    [[rule('bob', 'pull', 'a'), rule('bob', 'push', 'a'), rule('bob', 'pull push', 'a')], [[2, [0, 1]]]],
    [[rule('bob', 'pull', 'a'), rule('bob', 'pull push', 'a')], []],
    [[rule('bob', 'pull', 'a'), rule('bob', 'pull', 'a b')], []],
    [[rule('bob', 'pull', 'a'), rule('bob ann', 'pull', 'a')], []],
    [[rule('bob', 'pull', 'a/*'), rule('bob', 'pull', 'a/**')], []],
  ] as const)('is behind others: %#', (rules, expected) => {
    const found = findIdleRules(rules, { dev: ['ann'] }, ALL);
    expect(found.map(({ rule: position, behind }) => [position, behind])).toEqual(expected);
  });

  it.each([
    ['app/secret', true],
    ['app/secret/x', false],
    ['app/x', false],
    ['tools/x', false],
    ['tools/x/y', true],
    ['*/secret', false],
    ['other/**', true],
    ['**', false],
    ['**/x', false],
    ['**/deep/x', false],
    ['*s/x', false],
    ['x*/x', true],
    ['t*z/x', true],
    ['a', true],
    ['app', true],
    ['lib-a', false],
    ['lib*', false],
    ['li*-b*', false],
  ])('may be one about what the endpoint does not serve: %s', (pattern, idle) => {
    const served = { allow: patterns('app/**', 'tools/*', 'lib-*'), deny: patterns('app/secret') };
    expect(findIdleRules([rule('bob', 'pull', pattern)], {}, served)).toEqual(idle ? [{ rule: 0, behind: [] }] : []);
  });

  it('is never one that decides something', () => {
    const text = fc.constantFrom('bob', 'ann', 'everybody', 'authenticated', 'group:dev');
    const anyRule = fc
      .tuple(
        text,
        fc.subarray([...ACTIONS], { minLength: 1 }),
        fc.constantFrom('**', 'a/**', 'a/*', 'a/b', '*/b', 'a*/b'),
      )
      .map(([who, actions, pattern]) => rule(who, actions.join(' '), pattern));
    const principal = fc.constantFrom<Principal>(
      ANONYMOUS,
      { method: 'htpasswd', user: 'bob', groups: [], claims: {} },
      { method: 'htpasswd', user: 'ann', groups: [], claims: {} },
    );
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 8 }),
        principal,
        fc.constantFrom(...ACTIONS),
        fc.constantFrom('a', 'a/b', 'a/c', 'ab/b', 'a/b/c'),
        (rules, who, action, repository) => {
          const groups = { dev: ['ann'] };
          const served = { allow: patterns('a/**', 'ab/*'), deny: patterns('a/c') };
          const idle = findIdleRules(rules, groups, served).map(({ rule: position }) => position);
          const { rule: decided } = compileRights(rules, groups).decide(who, action, repository);
          const isServed = repository !== 'a' && repository !== 'a/c';
          if (isServed && decided !== undefined) expect(idle).not.toContain(decided);
        },
      ),
      { numRuns: 500 },
    );
  });
});
