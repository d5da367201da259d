import { basicAuthorization, type Login } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { retryAfterOf } from '../domain/retry-after.ts';
import type { Scope } from '../domain/scope.ts';
import { knowsGetOnly, parseTokenAnswer } from '../domain/token-answer.ts';
import { readBody } from '../lib/read-body.ts';
import type { Hop, HopAnswer } from './send.ts';

/** What is asked of a token service (distribution, "Token Authentication Specification"). */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  /** Undefined asks as nobody. */
  readonly login: Login | undefined;
}

export interface Token {
  readonly token: string;
  /** In milliseconds. */
  readonly lifetime: number;
}

const MAX_ANSWER = 1024 * 1024;

/**
 * Asks a token service for a token; undefined when it refuses this login. Redirects are not followed.
 * @throws RegistryError when it cannot be reached, is overloaded, or answers with something else
 */
export async function fetchToken(
  send: (hop: Hop) => Promise<HopAnswer>,
  request: TokenRequest,
): Promise<Token | undefined> {
  const { login } = request;
  if (login === undefined || !('identityToken' in login))
    return tokenIn(request.realm, await send(getRequest(request)));
  const answer = await send(refreshRequest(request, login.identityToken));
  if (!knowsGetOnly(answer.status)) return tokenIn(request.realm, answer);
  answer.body.destroy();
  const asPassword = { username: login.username, password: login.identityToken };
  return tokenIn(request.realm, await send(getRequest({ ...request, login: asPassword })));
}

// Some services answer 406 to anything but this; docker and containerd send it, too.
const ACCEPT: HeaderList = [['Accept', 'application/json']];

function getRequest({ realm, service, scopes, login }: TokenRequest): Hop {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const credentials: HeaderList =
    login !== undefined && 'password' in login
      ? [['Authorization', basicAuthorization(login.username, login.password)]]
      : [];
  return { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers: [...ACCEPT, ...credentials] };
}

/** RFC 6749, section 6, with docker's `service`. */
function refreshRequest({ realm, service, scopes }: TokenRequest, refreshToken: string): Hop {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'manifix', refresh_token: refreshToken });
  if (service !== undefined) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  return {
    origin: realm.origin,
    path: realm.pathname + realm.search,
    method: 'POST',
    headers: [...ACCEPT, ['Content-Type', 'application/x-www-form-urlencoded']],
    body: Buffer.from(form.toString()),
  };
}

async function tokenIn(realm: URL, answer: HopAnswer): Promise<Token | undefined> {
  const { status, headers } = answer;
  if (status !== 200) {
    answer.body.destroy();
    if (status === 401 || status === 403) return undefined;
    throw noToken(realm, `answered ${status}`, status, headers);
  }
  const body = await readBody(answer.body, MAX_ANSWER);
  const given = body === 'too-large' ? undefined : parseTokenAnswer(Buffer.from(body).toString());
  if (given === undefined) throw noToken(realm, 'answered 200 without a token', 502, headers);
  return { token: given.token, lifetime: given.lifetime * 1000 };
}

function noToken(realm: URL, what: string, status: number, headers: HeaderList): RegistryError {
  const overloaded = status === 429;
  return new RegistryError(overloaded ? 'TOOMANYREQUESTS' : 'UNAVAILABLE', {
    status: overloaded ? 429 : 502,
    message: `the token service ${realm.origin} ${what}`,
    explanation: `The registry wants a token of ${realm.origin}, which ${what}, so that the registry could not be asked.`,
    headers: retryAfterOf(headers),
  });
}
