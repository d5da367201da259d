import { randomBytes } from 'node:crypto';
import type { AccessTokenRecord, AccessTokenWish } from '../domain/access-token.ts';
import type { Authenticated } from '../domain/authentication.ts';
import { hashAccessToken, isAccessToken, newAccessToken } from './access-token-text.ts';
import { refused } from './refusals.ts';

/** Where tokens are kept. */
export interface TokenKeeper {
  find(hash: string): AccessTokenRecord | undefined;
  get(id: string): AccessTokenRecord | undefined;
  add(hash: string, record: AccessTokenRecord): void;
}

const ID_BYTES = 5;

/** Makes and keeps a token. It is in the answer and nowhere else. */
export function issueAccessToken(
  { user, endpoints, note, lifetime }: AccessTokenWish,
  keeper: Pick<TokenKeeper, 'add'>,
  now: number,
): { readonly token: string; readonly record: AccessTokenRecord } {
  const token = newAccessToken();
  const record: AccessTokenRecord = {
    id: randomBytes(ID_BYTES).toString('hex'),
    user,
    note,
    createdAt: now,
    ...(endpoints && { endpoints }),
    ...(lifetime !== undefined && { expiresAt: now + lifetime }),
  };
  keeper.add(hashAccessToken(token), record);
  return { token, record };
}

/** Logins at one endpoint with tokens that `manifix token new` made. */
export interface AccessTokenLogin {
  /** @param user who is said to have the token; a Bearer says nothing */
  check(token: string, user?: string): Authenticated;
  /** Whether the token with this id still counts. */
  holds(id: string): boolean;
}

/** @param time milliseconds since the epoch */
export function accessTokensAt(
  endpoint: string,
  keeper: Pick<TokenKeeper, 'find' | 'get'>,
  time: () => number,
): AccessTokenLogin {
  return {
    check(token, user) {
      const login = { endpoint, user };
      const outcome = checkAccessToken(token, endpoint, keeper, time());
      if ('wrong' in outcome) return refused(login, `does not take ${outcome.wrong}`);
      const { id, user: owner, expiresAt } = outcome.record;
      if (user !== undefined && user !== owner) {
        return refused(login, `does not take the token ${id} for another user than its own`);
      }
      const principal = { method: 'token' as const, user: owner, groups: [], claims: {} };
      return { principal, proof: `token ${id}`, ...(expiresAt !== undefined && { until: expiresAt }) };
    },
    holds(id) {
      const record = keeper.get(id);
      return record !== undefined && flawOf(record, endpoint, time()) === undefined;
    },
  };
}

/** The token that a client shows at an endpoint, or why it does not count there. @throws when tokens cannot be looked up */
export function checkAccessToken(
  token: string,
  endpoint: string,
  keeper: Pick<TokenKeeper, 'find'>,
  now: number,
): { readonly record: AccessTokenRecord } | { readonly wrong: string } {
  if (!isAccessToken(token)) return { wrong: 'a token that is cut or mistyped: its checksum is wrong' };
  const record = keeper.find(hashAccessToken(token));
  if (record === undefined) return { wrong: 'a token that was revoked or never made here' };
  const wrong = flawOf(record, endpoint, now);
  return wrong === undefined ? { record } : { wrong };
}

/** Why a token that is kept does not count at an endpoint; undefined when it does. */
function flawOf({ id, expiresAt, endpoints }: AccessTokenRecord, endpoint: string, now: number): string | undefined {
  if (expiresAt !== undefined && expiresAt <= now) {
    return `the token ${id}, which ended on ${new Date(expiresAt).toISOString()}`;
  }
  const counts = endpoints === undefined || endpoints.includes(endpoint);
  return counts ? undefined : `the token ${id}, which is for other endpoints`;
}
