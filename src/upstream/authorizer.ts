import { type Challenge, challengeOf, parseChallenges } from '../domain/challenge.ts';
import { basicAuthorization, type Login } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { checkRealm } from '../domain/realm.ts';
import { parseScopes, type Scope, scopesFor } from '../domain/scope.ts';
import { putLast } from '../lib/put-last.ts';
import { singleFlight } from '../lib/single-flight.ts';
import type { Logins } from './logins.ts';
import type { Hop, HopAnswer } from './send.ts';
import { fetchToken, type Token, type TokenRequest } from './token.ts';
import type { TokenServices } from './token-services.ts';

/** Knows what manifix itself sends in `Authorization` to one registry. */
export interface Authorizer {
  /** What to send with a request, as far as the registry's wishes are known. */
  authorize(method: string, path: string): Promise<string | undefined>;
  /** Takes note of what the registry wants, from the fields of a 401. */
  learn(refusal: HeaderList): void;
  /**
   * What to send instead after a 401, once: whoever is refused again has no right. Undefined when there is nothing else to
   * send.
   */
  renew(method: string, path: string, refusal: HeaderList, refused: string | undefined): Promise<string | undefined>;
}

export interface AuthorizerOptions {
  /** The registry as the subject of a sentence. */
  readonly who: string;
  readonly origin: string;
  /** Origins besides the registry's site where tokens may be asked for. */
  readonly realms: readonly string[];
  readonly logins: Logins;
  readonly services: TokenServices;
  readonly send: (hop: Hop) => Promise<HopAnswer>;
  readonly now: () => number;
}

interface KnownToken {
  readonly authorization: string;
  /** When it is renewed, in milliseconds since the epoch. */
  readonly until: number;
}

type Demand = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly challenge: Challenge };

/** Every repository has a token of its own, so that their number has to end somewhere. */
const MAX_TOKENS = 10_000;
/** A token is renewed while it still lasts for requests under way: this part of its life, at most half a minute before its end. */
const RENEWED_AT = 0.9;
const MAX_MARGIN = 30_000;
/** Services lock accounts after some wrong passwords; for so long a login that was refused is not shown again, in milliseconds. */
const REFUSED_FOR = 30_000;

/**
 * Learns from a registry's challenges how it wants to be asked, and keeps one token for each set of scopes. Simultaneous
 * requests for the same scopes share one question to the token service.
 * @throws RegistryError (from both calls) for a realm that gets no credentials, and when no token is to be had
 */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { who, origin, realms, logins, services, send, now } = options;
  const tokens = new Map<string, KnownToken>();
  const asked = new Map<string, readonly Scope[]>();
  const flight = singleFlight<string | undefined>();
  let demand: Demand | undefined;
  let refused: { readonly login: Login; readonly until: number } | undefined;

  /** The scopes of a request: those that the registry once named for such a request, else those that registries name. */
  function scopesOf(method: string, path: string): readonly Scope[] {
    const usual = scopesFor(method, path);
    return asked.get(keyOf(usual)) ?? usual;
  }

  async function basic(): Promise<string | undefined> {
    const login = await logins.current();
    return login !== undefined && 'password' in login ? basicAuthorization(login.username, login.password) : undefined;
  }

  async function bearer(challenge: Challenge, scopes: readonly Scope[]): Promise<string | undefined> {
    const known = tokens.get(keyOf(scopes));
    if (known !== undefined && now() < known.until) return known.authorization;
    return flight(keyOf(scopes), () => freshToken(challenge, scopes));
  }

  async function freshToken(challenge: Challenge, scopes: readonly Scope[]): Promise<string | undefined> {
    const checked = checkRealm(challenge.parameters.get('realm') ?? '', origin, realms);
    if ('wrong' in checked) throw untrustedRealm(who, checked.wrong);
    const request = { realm: checked.url, service: challenge.parameters.get('service'), scopes };
    const started = now();
    const login = await logins.current();
    let token = await tokenFor(login, request);
    if (token === undefined) {
      logins.refused(login);
      const next = await logins.current();
      if (next !== login) token = await tokenFor(next, request);
    }
    if (token === undefined) return undefined;
    const authorization = `Bearer ${token.token}`;
    const lasts = Math.max(token.lifetime * RENEWED_AT, token.lifetime - MAX_MARGIN);
    putLast(tokens, keyOf(scopes), { authorization, until: started + lasts }, MAX_TOKENS);
    return authorization;
  }

  async function tokenFor(login: Login | undefined, request: Omit<TokenRequest, 'login'>): Promise<Token | undefined> {
    if (refused !== undefined && refused.login === login && now() < refused.until) return undefined;
    const token = await services.ask(request.realm.origin, (signal) =>
      fetchToken((hop) => send({ ...hop, signal }), { ...request, login }),
    );
    if (token === undefined && login !== undefined) refused = { login, until: now() + REFUSED_FOR };
    return token;
  }

  function learn(refusal: HeaderList): Challenge | undefined {
    const challenges = parseChallenges(headerValues(refusal, 'WWW-Authenticate'));
    const challenge = challengeOf(challenges, 'bearer');
    if (challenge !== undefined) demand = { kind: 'bearer', challenge };
    else if (challengeOf(challenges, 'basic') !== undefined) demand = { kind: 'basic' };
    return challenge;
  }

  return {
    learn: (refusal) => void learn(refusal),
    async authorize(method, path) {
      if (demand === undefined) return undefined;
      return demand.kind === 'basic' ? basic() : bearer(demand.challenge, scopesOf(method, path));
    },
    async renew(method, path, refusal, refused) {
      const challenge = learn(refusal);
      if (demand === undefined) return undefined;
      if (demand.kind === 'basic') {
        if (refused !== undefined && (await basic()) === refused) logins.refused(await logins.current());
        const authorization = await basic();
        return authorization === refused ? undefined : authorization;
      }
      const usual = scopesFor(method, path);
      const named = parseScopes(challenge?.parameters.get('scope'));
      if (named.length > 0 && keyOf(named) !== keyOf(usual)) putLast(asked, keyOf(usual), named, MAX_TOKENS);
      const scopes = scopesOf(method, path);
      if (tokens.get(keyOf(scopes))?.authorization === refused) tokens.delete(keyOf(scopes));
      return bearer(demand.challenge, scopes);
    },
  };
}

function keyOf(scopes: readonly Scope[]): string {
  return scopes.toSorted().join(' ');
}

function untrustedRealm(who: string, wrong: string): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry names a token service that gets no credentials',
    explanation:
      `${who} wants a token, but the token service that it names ${wrong}. No credentials were sent there. ` +
      'If it is right, add its origin to realms of this upstream.',
    fix: 'credential-leakage',
  });
}
