import type { Shown } from '../domain/authentication.ts';
import { basicAuthorization, withoutCredentials } from '../domain/credentials.ts';
import { withoutHeaders } from '../domain/headers.ts';
import type { Endpoint, Guard } from '../pipeline/exchange.ts';
import { shownBy } from './shown.ts';
import type { TokenRequest } from './token-exchange.ts';

/** A request for a token of a registry, with what its query or form says. */
export interface TokenQuestion {
  readonly request: TokenRequest;
  readonly method: 'GET' | 'POST';
  readonly form: URLSearchParams;
}

/**
 * Whether credentials are those of users of manifix: clients send what they have for a host with all that they ask of it, also
 * to endpoints that ask nobody. In doubt, as while a client has to pause, they are.
 */
export async function areOwn(guards: readonly Guard[], shown: Shown): Promise<boolean> {
  if (shown.authorization === undefined) return false;
  for (const { authentication } of guards) {
    const outcome = await authentication.authenticate(shown);
    if (!('refused' in outcome) || outcome.refused.status !== 401) return true;
  }
  return false;
}

/** Whether the registry of an endpoint gets to see the credentials of clients. */
export function passesCredentials({ guard, upstream }: Endpoint): boolean {
  return guard === undefined && upstream.authority === 'caller';
}

/** The same question in nobody's name where the credentials in it are those of users of manifix. */
export async function withoutOwnCredentials(guards: readonly Guard[], asked: TokenQuestion): Promise<TokenQuestion> {
  const { request, form } = asked;
  const isOwn = (await areOwn(guards, shownIn(asked))) || (await isOwnRefresh(guards, form.get('refresh_token')));
  if (!isOwn) return asked;
  const named = [...form].filter(([name]) => name === 'service' || name === 'scope');
  const headers = withoutHeaders(withoutCredentials(request.headers), 'Content-Type');
  return { request: { ...request, headers }, method: 'GET', form: new URLSearchParams(named) };
}

function shownIn({ request: { incoming, headers, trusts }, form }: TokenQuestion): Shown {
  const shown = shownBy(incoming, headers, trusts);
  const password = form.get('password');
  if (password === null) return shown;
  return { ...shown, authorization: basicAuthorization(form.get('username') ?? '', password) };
}

async function isOwnRefresh(guards: readonly Guard[], token: string | null): Promise<boolean> {
  if (token === null) return false;
  for (const { tokens } of guards) {
    if ((await tokens.refresh(token)) !== undefined) return true;
  }
  return false;
}
