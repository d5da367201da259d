import { hash } from 'node:crypto';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { parseRateLimit, type RateLimit, shareLeft } from '../domain/rate-limit.ts';
import { putLast } from '../lib/put-last.ts';

/** How many requests a registry still allows, as it says itself: one entry for each account. */
export interface Budgets {
  /** Takes note of the fields of an answer to a request with these credentials. */
  answered(sent: HeaderList, received: HeaderList): void;
  /** The part that is left to whoever sends these credentials, from 0 to 1; undefined where nothing was said. */
  shareOf(sent: HeaderList): number | undefined;
  /** What was said to the account that has the smallest part left. */
  view(): BudgetView | undefined;
}

export interface BudgetView {
  readonly limit: number;
  readonly remaining: number;
  /** From 0 to 1; what has come back since then included. */
  readonly share: number;
}

interface Statement extends RateLimit {
  readonly at: number;
}

/** Tokens come and go; each is an account of its own. */
const MAX_ACCOUNTS = 1_000;

/**
 * @param authority whose credentials requests go out with: those of each caller, or always the same
 * @param now milliseconds of a clock that nobody sets
 */
export function createBudgets(authority: 'caller' | 'own', now: () => number): Budgets {
  const statements = new Map<string, Statement>();
  const keyOf = (sent: HeaderList) => (authority === 'own' ? '' : accountOf(sent));
  const share = (statement: Statement) => shareLeft(statement, now() - statement.at);
  return {
    answered(sent, received) {
      const stated = parseRateLimit(received, Date.now());
      if (stated === undefined) return;
      putLast(statements, keyOf(sent), { ...stated, at: now() }, MAX_ACCOUNTS);
    },
    shareOf(sent) {
      const statement = statements.size === 0 ? undefined : statements.get(keyOf(sent));
      return statement === undefined ? undefined : share(statement);
    },
    view() {
      const views = [...statements.values()].map((each) => ({
        limit: each.limit,
        remaining: each.remaining,
        share: share(each),
      }));
      return views.toSorted((one, other) => one.share - other.share)[0];
    },
  };
}

/** Credentials are not kept. */
function accountOf(sent: HeaderList): string {
  const authorization = headerValue(sent, 'Authorization');
  return authorization === undefined ? '' : hash('sha256', authorization, 'base64url');
}
