import { LRUCache } from 'lru-cache';
import type { AccessTokenRecord } from '../domain/access-token.ts';
import { DAY } from '../lib/units.ts';
import type { Database } from './database.ts';

/** The tokens that were made and not revoked, without the tokens themselves. Calls throw when the database cannot be used. */
export interface TokenRecords {
  /** @param hash of a token */
  find(hash: string): AccessTokenRecord | undefined;
  get(id: string): AccessTokenRecord | undefined;
  /** By the time when they were made, those that ended lately too. */
  list(): readonly AccessTokenRecord[];
  /** Durable when it returns, so that no client has a token that is lost. */
  add(hash: string, record: AccessTokenRecord): void;
  /** Durable when it returns. False when there is no such token. */
  revoke(id: string): boolean;
}

/** For so long after its end a token is listed. */
const LISTED_AFTER_END = 30 * DAY;
const REMEMBERED = 5_000;

export function createTokenRecords(database: Database): TokenRecords {
  const found = new LRUCache<string, AccessTokenRecord>({ max: REMEMBERED });

  function lookUp(query: 'accessToken' | 'accessTokenById', key: string): AccessTokenRecord | undefined {
    const question = `${query} ${key}`;
    const known = found.get(question);
    if (known !== undefined) return known;
    const row = database.run((statements) => statements[query].get(key));
    const record = row && recordOf(row);
    if (record !== undefined) found.set(question, record);
    return record;
  }

  return {
    find: (hash) => lookUp('accessToken', hash),
    get: (id) => lookUp('accessTokenById', id),
    list: () => database.run((statements) => statements.accessTokens.all()).map(recordOf),
    add(hash, { id, user, endpoints, note, createdAt, expiresAt }) {
      database.transact((statements) => {
        statements.dropEndedAccessTokens.run(createdAt - LISTED_AFTER_END);
        const names = endpoints === undefined ? null : JSON.stringify(endpoints);
        statements.putAccessToken.run(id, hash, user, names, note, createdAt, expiresAt ?? null);
      }, 'durable');
    },
    revoke(id) {
      let changes = 0;
      database.transact((statements) => {
        changes = Number(statements.dropAccessToken.run(id).changes);
      }, 'durable');
      found.clear();
      return changes > 0;
    },
  };
}

/** The columns are those that `add` writes. */
function recordOf(row: Record<string, unknown>): AccessTokenRecord {
  const { id, user, endpoints, note, created_at: createdAt, expires_at: expiresAt } = row;
  return {
    id: String(id),
    user: String(user),
    note: String(note),
    createdAt: Number(createdAt),
    ...(endpoints === null ? {} : { endpoints: JSON.parse(String(endpoints)) as readonly string[] }),
    ...(expiresAt === null ? {} : { expiresAt: Number(expiresAt) }),
  };
}
