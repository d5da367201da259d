import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action, ANONYMOUS, type Principal } from '../../src/domain/principal.ts';
import { compilePolicy, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { compileRights, type RightsRule } from '../../src/domain/rights.ts';
import { parseWho, type Who } from '../../src/domain/who.ts';

const who = (...texts: readonly string[]) => texts.map((text) => parseWho(text) as Who);

function rule(whom: readonly string[], effect: RightsRule['effect'], actions: string, ...repositories: string[]) {
  return {
    who: who(...whom),
    effect,
    actions: actions.split(' ') as Action[],
    repositories: repositories as RepositoryPattern[],
  };
}

const user = (name: string, groups: string[] = [], claims: Record<string, unknown> = {}): Principal => ({
  method: 'oidc',
  user: name,
  groups,
  claims,
});

describe('rights', () => {
  const rights = compileRights(
    [
      rule(['bob'], 'deny', 'push', 'app/secret'),
      rule(['bob', 'group:dev'], 'allow', 'pull push', 'app/**'),
      rule(['claim:ci:ref=refs/heads/*'], 'allow', 'push', 'ci/*'),
      rule(['claim:ci:ref=refs/tags/v1'], 'allow', 'push', 'release'),
      rule(['authenticated'], 'allow', 'list', '**'),
      rule(['everybody'], 'allow', 'pull', 'public/**'),
      rule(['group:ci:ops'], 'allow', 'delete', '**'),
    ],
    { dev: ['ann'] },
  );

  it.each([
    [user('bob'), 'push', 'app/x', true, 1],
    [user('bob'), 'push', 'app/secret', false, 0],
    [user('bob'), 'pull', 'app/secret', true, 1],
    [user('ann'), 'push', 'app/secret', true, 1],
    [user('ann'), 'delete', 'app/x', false, undefined],
    [user('ci:x', ['ci:ops']), 'delete', 'app/x', true, 6],
    [user('ci:x', ['ci:dev']), 'pull', 'app/x', false, undefined],
    [user('ci:x', [], { 'ci:ref': 'refs/heads/a/b' }), 'push', 'ci/x', true, 2],
    [user('ci:x', [], { 'ci:ref': 'refs/tags/v1' }), 'push', 'ci/x', false, undefined],
    [user('ci:x', [], { 'ci:ref': ['x', 'refs/tags/v1'] }), 'push', 'release', true, 3],
    [user('ci:x', [], { 'cd:ref': 'refs/heads/a' }), 'push', 'ci/x', false, undefined],
    [user('group:dev'), 'pull', 'app/x', false, undefined],
    [ANONYMOUS, 'pull', 'public/x', true, 5],
    [ANONYMOUS, 'list', 'public/x', false, undefined],
    [ANONYMOUS, 'pull', 'app/x', false, undefined],
  ] as const)('are decided by the first rule that matches: %o %s %s', (principal, action, repository, allowed, by) => {
    const expected = by === undefined ? { allowed } : { allowed, rule: by };
    expect(rights.decide(principal, action, repository)).toEqual(expected);
    expect(rights.decide(principal, action, repository)).toEqual(expected);
  });

  it('say whether a client may do something anywhere', () => {
    expect(rights.isEverAllowed(ANONYMOUS, 'pull')).toBe(true);
    expect(rights.isEverAllowed(ANONYMOUS, 'list')).toBe(false);
    expect(rights.isEverAllowed(user('bob'), 'push')).toBe(true);
    expect(rights.isEverAllowed(user('bob'), 'delete')).toBe(false);
  });

  it('allow nothing without a rule', () => {
    expect(compileRights([], {}).decide(user('bob'), 'pull', 'app')).toEqual({ allowed: false });
  });

  it('are what one finds by looking at the rules one after the other', () => {
    const names = fc.constantFrom('bob', 'ann', 'eve');
    const whoText = fc.oneof(
      names,
      fc.constantFrom('everybody', 'authenticated', 'group:dev', 'claim:ci:ref=a*', 'claim:ci:ref=ab'),
    );
    const anyRule = fc.record({
      who: fc.array(whoText, { minLength: 1, maxLength: 2 }).map((texts) => who(...texts)),
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      actions: fc.subarray([...ACTIONS], { minLength: 1 }),
      repositories: fc.subarray(['**', 'a/**', 'a/b', '*/b', 'c'] as RepositoryPattern[], { minLength: 1 }),
    });
    const principal = fc.oneof(
      fc.constant(ANONYMOUS),
      fc.tuple(names, fc.constantFrom('ab', 'ac', 'b')).map(([name, ref]) => user(name, [], { 'ci:ref': ref })),
    );
    const isMeant = (whom: Who, { user: name, claims }: Principal) => {
      if (whom.kind === 'everybody') return true;
      if (name === undefined) return false;
      if (whom.kind === 'user') return whom.name === name;
      if (whom.kind === 'group') return name !== 'eve';
      if (whom.kind !== 'claim') return true;
      return whom.pattern === 'a*' ? String(claims['ci:ref']).startsWith('a') : claims['ci:ref'] === whom.pattern;
    };
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 8 }),
        principal,
        fc.constantFrom(...ACTIONS),
        fc.constantFrom('a', 'a/b', 'c', 'a/c/b', 'd/b'),
        (rules, someone, action, repository) => {
          const first = rules.findIndex(
            ({ who: whom, actions, repositories }) =>
              whom.some((one) => isMeant(one, someone)) &&
              actions.includes(action) &&
              compilePolicy(repositories, []).allows(repository),
          );
          const decision = compileRights(rules, { dev: ['bob', 'ann'] }).decide(someone, action, repository);
          const expected = first < 0 ? { allowed: false } : { allowed: rules[first]?.effect === 'allow', rule: first };
          expect(decision).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
