import type { Action } from './principal.ts';
import type { RepositoryPattern } from './repository-policy.ts';
import type { Groups, RightsRule } from './rights.ts';
import { createRuleIndex, type RuleIndex } from './rule-index.ts';
import { formatWho, type Memberships, membershipsOf, type Who } from './who.ts';

/** A rule that never decides anything, and why. */
export interface IdleRule {
  /** Its position. */
  readonly rule: number;
  /** The earlier rules that decide in its place; none when the endpoint does not serve its repositories. */
  readonly behind: readonly number[];
}

/** Which repositories an endpoint serves. */
export interface Served {
  readonly allow: readonly RepositoryPattern[];
  readonly deny: readonly RepositoryPattern[];
}

/**
 * The rules that can never decide: earlier ones match all that they do, or the endpoint serves none of their repositories. Where
 * it cannot be told for certain, a rule is not among them.
 */
export function findIdleRules(rules: readonly RightsRule[], groups: Groups, served: Served): readonly IdleRule[] {
  const isServed = servedPatterns(served);
  const memberships = membershipsOf(groups);
  const earlier = new Map<string, RuleIndex>();
  const idle: IdleRule[] = [];
  for (const [position, rule] of rules.entries()) {
    if (!rule.repositories.some(isServed)) idle.push({ rule: position, behind: [] });
    else {
      const behind = deciders(rule, earlier, memberships);
      if (behind !== undefined) idle.push({ rule: position, behind });
    }
    for (const who of rule.who) {
      const index = earlier.get(formatWho(who)) ?? createRuleIndex();
      earlier.set(formatWho(who), index);
      for (const action of rule.actions) for (const pattern of rule.repositories) index.add(pattern, action, position);
    }
  }
  return idle;
}

/** The earlier rules that match all that this one does; undefined when something is left to it. */
function deciders(
  { who, actions, repositories }: RightsRule,
  earlier: ReadonlyMap<string, RuleIndex>,
  memberships: Memberships,
): readonly number[] | undefined {
  const found = new Set<number>();
  for (const one of who) {
    const indexes = containing(one, memberships).flatMap((text) => earlier.get(text) ?? []);
    for (const action of actions) {
      for (const pattern of repositories) {
        const first = Math.min(...indexes.map((index) => index.first(pattern, action)));
        if (first === Number.POSITIVE_INFINITY) return undefined;
        found.add(first);
      }
    }
  }
  return [...found].toSorted((one, other) => one - other);
}

/** All words of rules that are about everybody who is meant by this one. */
function containing(who: Who, memberships: Memberships): readonly string[] {
  if (who.kind === 'everybody') return ['everybody'];
  const groups = who.kind === 'user' ? (memberships.get(who.name) ?? []) : [];
  return ['everybody', 'authenticated', formatWho(who), ...groups.map((name) => `group:${name}`)];
}

/** Whether an endpoint may serve something that a pattern matches. */
function servedPatterns({ allow, deny }: Served): (pattern: RepositoryPattern) => boolean {
  const denied = createRuleIndex();
  const action: Action = 'pull';
  for (const pattern of deny) denied.add(pattern, action, 0);
  return (pattern) =>
    denied.first(pattern, action) !== 0 && allow.some((one) => mayMeet(one.split('/'), pattern.split('/')));
}

/** Whether two patterns may match the same name, by their components. */
function mayMeet(one: readonly string[], other: readonly string[]): boolean {
  const [first, ...rest] = one;
  const [second, ...remaining] = other;
  if (first === undefined || second === undefined) return first === second;
  if (first === '**') return rest.length === 0 || mayMeet(rest, other) || mayMeet(one, remaining);
  if (second === '**') return mayMeet(other, one);
  return componentsMayMeet(first, second) && mayMeet(rest, remaining);
}

/** Exact but for two components with a `*` each: of those, what stands before the first and behind the last `*` is compared. */
function componentsMayMeet(one: string, other: string): boolean {
  const [[before = '', ...behind], [start = '', ...end]] = [one.split('*'), other.split('*')];
  if (behind.length === 0 && end.length === 0) return one === other;
  const [tail, finish] = [behind.at(-1) ?? one, end.at(-1) ?? other];
  return (before.startsWith(start) || start.startsWith(before)) && (tail.endsWith(finish) || finish.endsWith(tail));
}
