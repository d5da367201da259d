import type { Authenticated, Recognised } from '../domain/authentication.ts';
import { basicAuthorization } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { GrantedScope, IssuedToken } from '../domain/own-token.ts';
import type { Action } from '../domain/principal.ts';
import { CATALOG_SCOPE, parseScopes } from '../domain/scope.ts';
import type { Guard } from '../pipeline/exchange.ts';
import { clientAddress } from './client.ts';
import type { Reached } from './endpoint-routes.ts';
import { firstToKnow, guardsAt, withChallenge } from './identify.ts';
import { clientOf, countToken } from './limited-client.ts';
import { BASIC_CHALLENGE } from './own-challenge.ts';
import { servedName } from './served-name.ts';
import { shownBy } from './shown.ts';
import { type TokenAnswer, type TokenRequest, tokenAnswer } from './token-exchange.ts';

/** More in one request is no client that pulls or pushes an image. */
const MAX_SCOPES = 100;
/** A token is not for repeating requests, and nobody between here and the client shall keep it. */
const HEADERS: HeaderList = [
  ['Content-Type', 'application/json'],
  ['Cache-Control', 'no-store'],
];

/**
 * The token service of an endpoint with a guard (distribution, "Token Authentication Specification" and "OAuth2 Token
 * Authentication"). What was asked for and is not allowed is left out of the token, as registries do: the request that needs it
 * is refused then, in the same way as with any other credentials.
 * @throws RegistryError
 */
export async function giveOwnToken(
  reached: Reached,
  request: TokenRequest,
  form: URLSearchParams,
): Promise<TokenAnswer> {
  const byForm = request.incoming.method === 'POST';
  const owner = byForm ? ownerInForm : ownerInHeader;
  const { guard, who } = await firstToKnow(guardsAt(reached), (asked) => owner(asked, request, form));
  const scopes = grantedScopes(reached, guard, who, parseScopes(form.getAll('scope').join(' ')));
  countOwn(reached, request, who, scopes);
  const token = await guard.tokens.issue(who, scopes);
  const lasting = byForm && form.get('access_type') === 'offline' && who.principal.user !== undefined;
  const refresh = lasting ? (await guard.tokens.issueRefresh(who)).token : form.get('refresh_token');
  return answerWith(token, byForm ? scopes : undefined, refresh);
}

/** Neither a stranger who gets nothing nor a login that may mean several endpoints uses anything up, as with `openCounted`. */
function countOwn(
  { endpoint, besides = [] }: Reached,
  { incoming, headers, trusts, seen }: TokenRequest,
  { principal: { user } }: Recognised,
  scopes: readonly GrantedScope[],
): void {
  seen.user = user;
  if (besides.length > 0 || (user === undefined && scopes.length === 0)) return;
  countToken(endpoint, clientOf(user, clientAddress(incoming, headers, trusts)));
}

/** Whether the tokens of a request are manifix's own. */
export function wantsOwnToken(reached: Reached): boolean {
  return guardsAt(reached).length > 0;
}

function answerWith(
  { token, issuedAt, until }: IssuedToken,
  scopes: readonly GrantedScope[] | undefined,
  refresh: string | null,
): TokenAnswer {
  const document = {
    ...(scopes === undefined ? { token } : { token_type: 'Bearer', scope: scopes.map(formatScope).join(' ') }),
    access_token: token,
    expires_in: Math.max(0, Math.floor((until - issuedAt) / 1e3)),
    issued_at: new Date(issuedAt).toISOString(),
    ...(refresh === null ? {} : { refresh_token: refresh }),
  };
  return tokenAnswer(200, HEADERS, Buffer.from(JSON.stringify(document)));
}

function formatScope({ type, name, actions }: GrantedScope): string {
  return `${type}:${name}:${actions.join(',')}`;
}

async function ownerInHeader({ authentication }: Guard, { incoming, headers, trusts }: TokenRequest) {
  return recognised(await authentication.authenticate(shownBy(incoming, headers, trusts)));
}

/** RFC 6749, sections 4.3 and 6, with the errors of a registry instead of those of OAuth. */
async function ownerInForm(guard: Guard, request: TokenRequest, form: URLSearchParams): Promise<Recognised> {
  const { incoming, headers, trusts } = request;
  switch (form.get('grant_type')) {
    case 'password': {
      const user = form.get('username') ?? '';
      // RFC 7617, section 2: a name has no colon. What stands behind one would be taken for a part of the password.
      const authorization = user.includes(':') ? '' : basicAuthorization(user, form.get('password') ?? '');
      const { address } = shownBy(incoming, headers, trusts);
      return recognised(await guard.authentication.authenticate({ authorization, address }));
    }
    case 'refresh_token': {
      const owner = await guard.tokens.refresh(form.get('refresh_token') ?? '');
      if (owner !== undefined) return owner;
      throw new RegistryError('UNAUTHORIZED', { explanation: ENDED, headers: BASIC_CHALLENGE });
    }
    default:
      throw new RegistryError('UNSUPPORTED', { status: 400, message: 'grant_type must be password or refresh_token' });
  }
}

const ENDED = 'The login of this client has ended, or its password has changed. Log in again.';

function recognised(outcome: Authenticated): Recognised {
  if ('refused' in outcome) throw withChallenge(outcome.refused, BASIC_CHALLENGE);
  return outcome;
}

// As in domain/repository-names.ts; plugins are repositories, too.
const REPOSITORY = /^(repository(?:\([a-z0-9]+\))?):(.+):([^:]*)$/;

function grantedScopes(
  reached: Reached,
  guard: Guard,
  who: Recognised,
  asked: readonly string[],
): readonly GrantedScope[] {
  if (asked.length > MAX_SCOPES) {
    throw new RegistryError('UNSUPPORTED', { status: 400, message: `more than ${MAX_SCOPES} scopes` });
  }
  return asked.flatMap((scope) => {
    if (scope === CATALOG_SCOPE) return grantedCatalog(guard, who);
    const [, type = '', name = '', actions = ''] = REPOSITORY.exec(scope) ?? [];
    const repository = servedName(reached, name);
    if (repository === undefined) return [];
    const may = (action: Action) =>
      guard.rights.decide(who.principal, action, repository).allowed && who.covers?.(action, repository) !== false;
    const granted = wanted(actions).filter((action) => MEANS[action].some(may));
    if (granted.length === 0) return [];
    return [
      { type, name, actions: granted, covers: granted.flatMap((action) => MEANS[action].filter(may)), repository },
    ];
  });
}

/** What the actions of the specification stand for here: who pulls may see tags where his rights let him. */
const MEANS = { pull: ['pull', 'list'], push: ['push'], delete: ['delete'] } as const satisfies Record<
  string,
  readonly Action[]
>;
const ALL = Object.keys(MEANS) as readonly (keyof typeof MEANS)[];

function wanted(actions: string): readonly (keyof typeof MEANS)[] {
  const named = actions.split(',');
  return named.includes('*') ? ALL : ALL.filter((action) => named.includes(action));
}

function grantedCatalog({ rights }: Guard, { principal }: Recognised): readonly GrantedScope[] {
  if (!rights.isEverAllowed(principal, 'list')) return [];
  return [{ type: 'registry', name: 'catalog', actions: ['*'], covers: ['list'] }];
}
