import type { Action, Principal } from './principal.ts';
import type { RepositoryPattern } from './repository-policy.ts';
import { createRuleIndex, madeIn, type RuleIndex, wildcardExpression } from './rule-index.ts';
import { formatWho, membershipsOf, traitsOf, type Who } from './who.ts';

/** One line of an endpoint's rights. */
export interface RightsRule {
  readonly who: readonly Who[];
  readonly effect: 'allow' | 'deny';
  readonly actions: readonly Action[];
  /** By the upstream's names. */
  readonly repositories: readonly RepositoryPattern[];
}

/** Groups of users by their names. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/** What the rules of an endpoint say; `rule` is the position of the one that decided, undefined when none matched. */
export interface Decision {
  readonly allowed: boolean;
  readonly rule?: number;
}

/** Who may do what with which repositories, by the upstream's names. */
export interface Rights {
  /** The first rule that matches decides; without one nothing is allowed. */
  decide(principal: Principal, action: Action, repository: string): Decision;
  /** Whether any rule lets him do that anywhere. */
  isEverAllowed(principal: Principal, action: Action): boolean;
}

/** The rules that are about one user, group or claim, or about everybody. */
interface Share {
  readonly index: RuleIndex;
  readonly allowed: Set<Action>;
}

/** Makes of rules what decides; that takes as long with ten thousand of them as with ten. */
export function compileRights(rules: readonly RightsRule[], groups: Groups): Rights {
  const memberships = membershipsOf(groups);
  const shares = createShares();
  for (const [position, rule] of rules.entries()) {
    for (const who of rule.who) addTo(shares.of(who), rule, position);
  }
  const known = new WeakMap<Principal, readonly Share[]>();
  function sharesOf(principal: Principal): readonly Share[] {
    const found = known.get(principal) ?? traitsOf(principal, memberships).flatMap(shares.matching);
    known.set(principal, found);
    return found;
  }
  return {
    decide(principal, action, repository) {
      let rule = Number.POSITIVE_INFINITY;
      for (const { index } of sharesOf(principal)) rule = Math.min(rule, index.first(repository, action));
      return rule === Number.POSITIVE_INFINITY
        ? { allowed: false }
        : { allowed: rules[rule]?.effect === 'allow', rule };
    },
    isEverAllowed: (principal, action) => sharesOf(principal).some(({ allowed }) => allowed.has(action)),
  };
}

function addTo({ index, allowed }: Share, { effect, actions, repositories }: RightsRule, position: number): void {
  for (const action of actions) {
    if (effect === 'allow') allowed.add(action);
    for (const pattern of repositories) index.add(pattern, action, position);
  }
}

interface Shares {
  /** That of a rule's words, made where there was none. */
  of(who: Who): Share;
  /** Those that are about a client with this trait. */
  matching(trait: Who): readonly Share[];
}

function createShares(): Shares {
  const exact = new Map<string, Share>();
  /** Of claims with a `*`, by the claim. */
  const patterns = new Map<string, Map<string, Share & { readonly expression: RegExp }>>();
  const makeShare = (): Share => ({ index: createRuleIndex(), allowed: new Set() });
  return {
    of(who) {
      if (who.kind !== 'claim' || !who.pattern.includes('*')) return madeIn(exact, keyOf(who), makeShare);
      const { claim, pattern } = who;
      const ofClaim = madeIn(patterns, claim, () => new Map());
      return madeIn(ofClaim, pattern, () => ({ ...makeShare(), expression: wildcardExpression(pattern, '.*') }));
    },
    matching(trait) {
      const same = exact.get(keyOf(trait));
      const similar = trait.kind === 'claim' ? [...(patterns.get(trait.claim)?.values() ?? [])] : [];
      const matched = similar.filter(({ expression }) => trait.kind === 'claim' && expression.test(trait.pattern));
      return same === undefined ? matched : [same, ...matched];
    },
  };
}

function keyOf(who: Who): string {
  return `${who.kind} ${formatWho(who)}`;
}
