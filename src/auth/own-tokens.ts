import { hash, randomBytes } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { Authentication, Coverage, Recognised } from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';
import type { GrantedScope, TokenIssuer } from '../domain/own-token.ts';
import type { Action, Principal } from '../domain/principal.ts';
import { putLast } from '../lib/put-last.ts';
import { DAY } from '../lib/units.ts';
import { parseAuthorization } from './authorization.ts';
import type { TokenKeys } from './token-keys.ts';

/** An endpoint's own tokens, and its clients with and without them. */
export interface OwnTokens {
  readonly issuer: TokenIssuer;
  /** Knows clients by these tokens, too. */
  readonly authentication: Authentication;
}

export interface OwnTokensOptions {
  readonly endpoint: string;
  /** How clients are known by other credentials. */
  readonly authentication: Authentication;
  readonly keys: TokenKeys;
  /** How long a token lasts, in milliseconds. */
  readonly ttl: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const ISSUER = 'manifix';
/** What the header of a token says it is, so that one kind is never taken for the other (RFC 8725, section 3.11). */
const KINDS = { access: 'manifix-access+jwt', refresh: 'manifix-refresh+jwt' } as const;
type Kind = keyof typeof KINDS;

const REFRESH_TTL = 90 * DAY;
/** For so long after a token was checked, nobody asks again whether its owner is still there, in milliseconds. */
const BELIEVED_FOR = 10_000;
const MAX_REMEMBERED = 10_000;
/** Far above one with a hundred scopes. */
const MAX_LENGTH = 32_768;

/** What manifix writes into a token, besides what RFC 7519 and the token specification of distribution name. */
interface OwnClaims {
  readonly method: Principal['method'];
  readonly user?: string;
  readonly groups: readonly string[];
  readonly claims: Principal['claims'];
  readonly proof?: string;
  /** Actions by the upstream's names of repositories; that of the catalogue is empty. */
  readonly covers: Readonly<Record<string, readonly Action[]>>;
}

interface Checked {
  readonly recognised: Recognised;
  readonly until: number;
  believedUntil: number;
}

export function createOwnTokens({ endpoint, authentication, keys, ttl, now }: OwnTokensOptions): OwnTokens {
  const remembered = new Map<string, Checked>();

  async function sign(kind: Kind, who: Recognised, lifetime: number, scopes: readonly GrantedScope[]) {
    const { principal, proof, until } = who;
    const issuedAt = now();
    const end = Math.min(issuedAt + lifetime, until ?? Number.POSITIVE_INFINITY);
    const { id, privateKey } = await keys.current();
    const { user = '' } = principal;
    const own: OwnClaims = { ...principal, ...(proof === undefined ? {} : { proof }), covers: coveredBy(scopes) };
    const access = scopes.map(({ type, name, actions }) => ({ type, name, actions }));
    const [iat, exp] = [Math.floor(issuedAt / 1e3), Math.floor(end / 1e3)];
    const token = await new SignJWT({ access, manifix: own, iss: ISSUER, aud: endpoint, sub: user, iat, nbf: iat, exp })
      .setProtectedHeader({ alg: 'EdDSA', typ: KINDS[kind], kid: id })
      .setJti(randomBytes(9).toString('base64url'))
      .sign(privateKey);
    return { token, issuedAt: iat * 1e3, until: exp * 1e3 };
  }

  /** Who a token of ours is about; undefined when it is wrong in any way. */
  async function check(kind: Kind, token: string, key = nameOf(kind, token)): Promise<Checked | undefined> {
    const known = remembered.get(key) ?? (await verify(kind, token));
    if (known === undefined || known.until <= now()) return undefined;
    if (known.believedUntil <= now()) {
      const { proof } = known.recognised;
      if (proof !== undefined && !(await authentication.holds(proof))) {
        remembered.delete(key);
        return undefined;
      }
      known.believedUntil = now() + BELIEVED_FOR;
    }
    putLast(remembered, key, known, MAX_REMEMBERED);
    return known;
  }

  async function verify(kind: Kind, token: string): Promise<Checked | undefined> {
    if (token.length > MAX_LENGTH) return undefined;
    try {
      const { payload } = await jwtVerify(token, ({ kid = '' }) => keyOf(keys, kid), {
        algorithms: ['EdDSA'],
        typ: KINDS[kind],
        issuer: ISSUER,
        audience: endpoint,
        requiredClaims: ['exp', 'manifix'],
        currentDate: new Date(now()),
        clockTolerance: 5,
      });
      return checkedOf(payload);
    } catch {
      return undefined;
    }
  }

  return {
    issuer: {
      issue: (who, scopes) => sign('access', who, ttl, scopes),
      issueRefresh: (who) => sign('refresh', who, REFRESH_TTL, []),
      async refresh(token) {
        const known = await check('refresh', token);
        if (known === undefined) return undefined;
        // It is good for all that its owner may.
        const { covers: _, ...owner } = known.recognised;
        return owner;
      },
    },
    authentication: {
      holds: authentication.holds,
      async authenticate(shown) {
        const { authorization } = shown;
        const credentials = authorization === undefined ? undefined : parseAuthorization(authorization);
        if (credentials?.scheme !== 'bearer') return authentication.authenticate(shown);
        const key = nameOf('access', credentials.token);
        if (!remembered.has(key) && !isOwn(credentials.token)) return authentication.authenticate(shown);
        const known = await check('access', credentials.token, key);
        return known?.recognised ?? { refused: ended(endpoint) };
      },
    },
  };
}

function keyOf(keys: TokenKeys, id: string) {
  const key = keys.find(id);
  if (key === undefined) throw new Error('the token was signed with another key');
  return key.publicKey;
}

/** Whether a token says of itself that it is one of ours; what it says is not believed yet. */
function isOwn(token: string): boolean {
  try {
    return Object.values<unknown>(KINDS).includes(decodeProtectedHeader(token).typ);
  } catch {
    return false;
  }
}

/** The payload is one that this program wrote: its signature says so. */
function checkedOf({ manifix, exp = 0 }: JWTPayload): Checked {
  const { method, user, groups, claims, proof, covers } = manifix as OwnClaims;
  const until = exp * 1e3;
  return {
    until,
    believedUntil: 0,
    recognised: {
      principal: { method, groups, claims, ...(user === undefined ? {} : { user }) },
      until,
      covers: coverageOf(covers),
      ...(proof === undefined ? {} : { proof }),
    },
  };
}

function coveredBy(scopes: readonly GrantedScope[]): OwnClaims['covers'] {
  const covered = new Map<string, readonly Action[]>();
  for (const { repository = '', covers } of scopes) {
    covered.set(repository, [...(covered.get(repository) ?? []), ...covers]);
  }
  return Object.fromEntries(covered);
}

function coverageOf(covers: OwnClaims['covers']): Coverage {
  const covered = new Map(Object.entries(covers));
  return (action, repository = '') => covered.get(repository)?.includes(action) === true;
}

/** Under which a token is remembered, without keeping it. */
function nameOf(kind: Kind, token: string): string {
  return `${kind} ${hash('sha256', token, 'base64url')}`;
}

function ended(endpoint: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', {
    explanation: `The token is not one of the endpoint "${endpoint}" of manifix, or it has ended. Clients fetch a new one by themselves.`,
  });
}
