import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy, parseRepositoryPattern, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { createRuleIndex, wildcardExpression } from '../../src/domain/rule-index.ts';

const component = fc.constantFrom('a', 'b', 'ab', 'abc', 'b.c');
const name = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const pattern = fc
  .array(fc.oneof(component, fc.constantFrom('*', '**', 'a*', '*b', 'a*c')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((text) => parseRepositoryPattern(text) !== undefined);

function indexOf(patterns: readonly string[]) {
  const index = createRuleIndex();
  for (const [position, text] of patterns.entries()) index.add(text, 'pull', position);
  return index;
}

const matches = (text: string, of: string) => compilePolicy([text as RepositoryPattern], []).allows(of);

describe('an index of patterns', () => {
  it('finds the first pattern that matches a name', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), name, (patterns, of) => {
        const expected = patterns.findIndex((text) => matches(text, of));
        expect(indexOf(patterns).first(of, 'pull')).toBe(expected < 0 ? Number.POSITIVE_INFINITY : expected);
      }),
      { numRuns: 500 },
    );
  });

  it('says of a pattern that an earlier one covers it only when no name tells them apart', () => {
    fc.assert(
      fc.property(pattern, pattern, name, (earlier, later, of) => {
        const covered = indexOf([earlier]).first(later, 'pull') === 0;
        if (covered && matches(later, of)) expect(matches(earlier, of)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['**', 'a/**'],
    ['a/**', 'a/*'],
    ['a/*', 'a/b*'],
    ['a*/x', 'a*/x'],
    ['**/b', 'a/**/b'],
    ['a/**', 'a/**'],
  ])('knows that %s covers %s', (earlier, later) => {
    expect(indexOf([earlier]).first(later, 'pull')).toBe(0);
  });

  it('keeps actions apart', () => {
    const index = createRuleIndex();
    index.add('a', 'pull', 3);
    index.add('a', 'push', 1);
    expect([index.first('a', 'pull'), index.first('a', 'push'), index.first('a', 'list')]).toEqual([3, 1, Infinity]);
  });

  it('reads all but the asterisk as it is written', () => {
    expect(wildcardExpression('a.*(b)', '.*').test('a.xyz(b)')).toBe(true);
    expect(wildcardExpression('a.*', '.*').test('ab')).toBe(false);
    expect(wildcardExpression('refs/heads/*', '.*').test('refs/heads/a/b\nc')).toBe(true);
  });
});
