import { hash } from 'node:crypto';
import type { Authentication, Coverage } from '../../src/domain/authentication.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { type Action, ANONYMOUS, type Principal } from '../../src/domain/principal.ts';
import type { RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { compileRights, type Groups, type RightsRule } from '../../src/domain/rights.ts';
import { parseWho, type Who } from '../../src/domain/who.ts';
import type { Guard } from '../../src/pipeline/exchange.ts';

/** A rule as the configuration has it: `allows('bob group:dev', 'pull push', 'app/**')`. */
export function allows(who: string, actions: string, ...repositories: readonly string[]): RightsRule {
  return ruleOf('allow', who, actions, repositories);
}

export function denies(who: string, actions: string, ...repositories: readonly string[]): RightsRule {
  return ruleOf('deny', who, actions, repositories);
}

function ruleOf(effect: 'allow' | 'deny', who: string, actions: string, repositories: readonly string[]): RightsRule {
  return {
    effect,
    who: who.split(' ').map((text) => parseWho(text) as Who),
    actions: actions.split(' ') as Action[],
    repositories: (repositories.length === 0 ? ['**'] : repositories) as RepositoryPattern[],
  };
}

/** The value of `Authorization` of somebody whose password is his name. */
export function login(user: string, password = user): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Knows everybody whose password is his name, and those whose tokens are given. */
export function knowsByName(
  tokens: Readonly<Record<string, { user: string; covers?: Coverage }>> = {},
): Authentication & {
  readonly gone: Set<string>;
} {
  const gone = new Set<string>();
  const principals = new Map<string, Principal>();
  const principalOf = (user: string) => {
    const known = principals.get(user) ?? { method: 'htpasswd', user, groups: [], claims: {} };
    principals.set(user, known);
    return known;
  };
  return {
    gone,
    async authenticate({ authorization }) {
      if (authorization === undefined) return { principal: ANONYMOUS };
      const [scheme, value = ''] = authorization.split(' ');
      const token = tokens[value];
      if (scheme === 'Bearer' && token !== undefined) {
        return { principal: principalOf(token.user), ...(token.covers && { covers: token.covers }) };
      }
      const [user = '', password] = Buffer.from(value, 'base64').toString().split(':');
      if (user === '' || password !== user || gone.has(user)) return { refused: new RegistryError('UNAUTHORIZED') };
      return { principal: principalOf(user), proof: proofOf(user) };
    },
    holds: (proof) => ![...gone].some((user) => proofOf(user) === proof),
  };
}

function proofOf(user: string): string {
  return hash('sha256', user, 'base64url');
}

/** A guard with these rules. */
export function guardOf(
  rules: readonly RightsRule[],
  { groups = {}, ...others }: Partial<Guard> & { readonly groups?: Groups } = {},
): Guard {
  const tokens = { issue: unasked, issueRefresh: unasked, refresh: unasked };
  return {
    authentication: knowsByName(),
    rights: compileRights(rules, groups),
    challenge: 'bearer',
    tokens,
    ...others,
  };
}

async function unasked(): Promise<never> {
  throw new Error('nobody should ask for a token');
}
