import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import type { GetJson } from '../lib/get-json.ts';
import type { Log } from '../lib/logger.ts';

/** The keys of an issuer cannot be asked for, so that nothing can be said about a token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface KeyOptions {
  readonly issuer: string;
  readonly ca?: Uint8Array;
  readonly getJson: GetJson;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly log: Log;
}

/** Keys are asked for again after this time, so that one that the issuer took back does not count much longer. */
const FRESH_FOR = 10 * 60_000;
/** Anybody can make up the name of a key: the issuer is not asked for each. */
const ASK_AGAIN_AFTER = 10_000;

/**
 * The keys with which an issuer signs: found by OpenID discovery, kept, and asked for again when they are old or a token names
 * another one. An issuer that does not answer leaves the keys that are known; nothing in a token says where keys are.
 */
export function createIssuerKeys({ issuer, ca, getJson, now, log }: KeyOptions): JWTVerifyGetKey {
  let keys: LocalJWKSet | undefined;
  let [fetchedAt, askedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let asking: Promise<void> | undefined;
  let complaint: string | undefined;

  async function fetchKeys(): Promise<void> {
    askedAt = now();
    try {
      const discovery = await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, ca);
      const set = await getJson(keysUrlIn(discovery, issuer), ca);
      // What is no set of keys it refuses.
      keys = createLocalJWKSet(set as JSONWebKeySet);
      fetchedAt = now();
      complaint = undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== complaint) log('warn', 'the keys of an OpenID issuer cannot be read', { issuer, problem });
      complaint = problem;
    }
  }

  /** Asks, or waits for whoever asks already; not so soon after the last time. */
  async function ask(): Promise<void> {
    if (asking === undefined && now() - askedAt < ASK_AGAIN_AFTER) return;
    asking ??= fetchKeys().finally(() => {
      asking = undefined;
    });
    await asking;
  }

  return async (header, token) => {
    if (keys === undefined) await ask();
    else if (now() - fetchedAt >= FRESH_FOR) void ask();
    if (keys === undefined) throw new KeysUnavailable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await ask();
      return keys(header, token);
    }
  };
}

/** @throws Error with a sentence about what is wrong with the discovery document */
function keysUrlIn(discovery: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: url } = (discovery ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  // OpenID Connect Discovery 1.0, section 4.3: the very same issuer, so that none speaks for another.
  if (named !== issuer) throw new Error(`the discovery document is of the issuer ${JSON.stringify(named)}`);
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  const isSecure = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && issuer.startsWith('http:'));
  if (parsed === null || !isSecure) throw new Error('the discovery document names no place of keys with https');
  return parsed.href;
}
