import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { TrustedIssuer } from '../domain/authentication.ts';
import type { Principal } from '../domain/principal.ts';
import { createShortMemory } from '../lib/short-memory.ts';
import { claimThatFails, flattenClaims } from './claims.ts';
import { KeysUnavailable } from './issuer-keys.ts';

/** Who it is and until when, or why the token does not count; `unknown` when that could not be found out. */
export type TokenOutcome =
  | {
      readonly principal: Principal;
      readonly until: number;
      /** Stands for the entry that took it: `trusts` says with it whether that is still there. */
      readonly proof: string;
    }
  | { readonly wrong: string }
  | { readonly unknown: string };

/** Verifies OpenID tokens for one endpoint. */
export interface OpenIdTokens {
  verify(token: string): Promise<TokenOutcome>;
  /** Whether an entry takes the same tokens as the one that took one once. */
  trusts(print: string): boolean;
}

export interface OpenIdOptions {
  readonly issuers: readonly TrustedIssuer[];
  readonly keysOf: (issuer: TrustedIssuer) => JWTVerifyGetKey;
  /** Stands for a token without showing it. */
  readonly seal: (token: string) => string;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly time: () => number;
}

interface Entry extends TrustedIssuer {
  /** Another one as soon as anything of the entry is another. */
  readonly print: string;
}

const MAX_TOKEN = 16 * 1024;
/** Signatures that anybody can check and only the issuer can make. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Clocks differ. In seconds. */
const LEEWAY = 30;
/** A verified token is not verified again for so long; what ends it sooner is its own end. */
const REMEMBERED_FOR = 60_000;
const MAX_REMEMBERED = 5_000;
/** No control character, which would speak to the terminals of whoever reads the usage. */
const USER = /^\P{Cc}{1,255}$/u;

/** Whether a text looks like a signed token (RFC 7515, section 7.1). */
export function resemblesOpenIdToken(text: string): boolean {
  return /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(text);
}

export function createOpenIdTokens({ issuers, keysOf, seal, now, time }: OpenIdOptions): OpenIdTokens {
  const entries = issuers.map((issuer): Entry => ({ ...issuer, print: printOf(issuer) }));
  const verified = createShortMemory<TokenOutcome>(MAX_REMEMBERED, now);

  async function verifyAnew(token: string): Promise<TokenOutcome> {
    const said = readUnverified(token);
    if ('wrong' in said) return said;
    const trusted = entries.filter(({ issuer }) => issuer === said.issuer);
    const outcomes: TokenOutcome[] = [];
    for (const entry of trusted) {
      const outcome = await verifyFor(entry, token, keysOf(entry), time());
      if ('principal' in outcome) return outcome;
      outcomes.push(outcome);
    }
    return outcomes[0] ?? { wrong: `comes from an issuer that it does not know: ${shorten(said.issuer)}` };
  }

  return {
    trusts: (print) => entries.some((entry) => entry.print === print),
    async verify(token) {
      if (token.length > MAX_TOKEN) return { wrong: 'is longer than 16 KiB' };
      const sealed = seal(token);
      const known = verified.get(sealed);
      if (known !== undefined) return known;
      const outcome = await verifyAnew(token);
      if ('principal' in outcome) verified.put(sealed, outcome, Math.min(REMEMBERED_FOR, outcome.until - time()));
      return outcome;
    },
  };
}

/** What a token says of itself, which nobody has to believe. */
function readUnverified(token: string): { readonly issuer: string } | { readonly wrong: string } {
  try {
    const { alg } = decodeProtectedHeader(token);
    if (alg === undefined || !ALGORITHMS.includes(alg)) return { wrong: `has the algorithm ${shorten(alg)}` };
    return { issuer: decodeJwt(token).iss ?? '' };
  } catch {
    return { wrong: 'cannot be read' };
  }
}

async function verifyFor(trusted: Entry, token: string, keys: JWTVerifyGetKey, time: number): Promise<TokenOutcome> {
  const { issuer, audience } = trusted;
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: LEEWAY,
      currentDate: new Date(time),
      requiredClaims: ['exp'],
    });
    return identify(trusted, payload);
  } catch (error) {
    if (error instanceof KeysUnavailable) return { unknown: `the issuer ${issuer} does not tell its keys` };
    return { wrong: explain(error, audience) };
  }
}

/** Who a verified token is, in the names of the entry. */
function identify(trusted: Entry, payload: JWTPayload): TokenOutcome {
  const { name, user, groups, claims: rules, print } = trusted;
  const claims = flattenClaims(payload);
  const failed = claimThatFails(claims, rules);
  if (failed !== undefined) return { wrong: `does not have the claim "${failed}" as this endpoint wants it` };
  const who = Object.hasOwn(claims, user) ? claims[user] : undefined;
  if ((typeof who !== 'string' && typeof who !== 'number') || !USER.test(String(who))) {
    return { wrong: `names no user in the claim "${user}"` };
  }
  const named = groups === undefined || !Object.hasOwn(claims, groups) ? [] : [claims[groups]].flat();
  return {
    principal: {
      method: 'oidc',
      user: `${name}:${who}`,
      groups: named.filter((group) => typeof group === 'string').map((group) => `${name}:${group}`),
      claims: Object.fromEntries(Object.entries(claims).map(([claim, value]) => [`${name}:${claim}`, value])),
    },
    // Required when it was verified.
    until: (Number(payload.exp) + LEEWAY) * 1_000,
    proof: `oidc ${print}`,
  };
}

function printOf(trusted: TrustedIssuer): string {
  return hash('sha256', JSON.stringify(trusted), 'base64url');
}

function explain(error: unknown, audience: string): string {
  if (error instanceof errors.JWTExpired) {
    const end = new Date(Number(error.payload.exp) * 1_000);
    return Number.isNaN(end.getTime()) ? 'has ended' : `ended on ${end.toISOString()}`;
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return `is for another audience than "${audience}"`;
    if (error.claim === 'nbf') return 'is not valid yet';
    return `has no valid "${error.claim}"`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'is signed with a key that its issuer does not have';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'does not say which key of its issuer signed it';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'has a wrong signature';
  return 'cannot be verified';
}

function shorten(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 100));
}
