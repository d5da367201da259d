import { challengeOf, parseChallenges } from '../domain/challenge.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { parseTokenAnswer } from '../domain/token-answer.ts';

/** Asks a token service, and gives the body of its 200. */
export type AskRealm = (realm: URL, authorization: string | undefined) => Promise<string | undefined>;

/** In milliseconds. */
const TIMEOUT = 30_000;

/**
 * The token dance of distribution's token specification, as a pull needs it: what to send after this 401, or undefined when it
 * names no token service, or the service gives nothing.
 */
export async function tokenFor(
  refusal: HeaderList,
  basic: string | undefined,
  ask: AskRealm,
): Promise<string | undefined> {
  const challenge = challengeOf(parseChallenges(headerValues(refusal, 'WWW-Authenticate')), 'bearer');
  const { realm, service, scope } = Object.fromEntries(challenge?.parameters ?? []);
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  for (const [name, value] of Object.entries({ service, scope }))
    if (value !== undefined) url.searchParams.set(name, value);
  const given = parseTokenAnswer((await ask(url, basic)) ?? '');
  return given === undefined ? undefined : `Bearer ${given.token}`;
}

/** Asks over the network. @throws when nobody answers */
export async function askRealm(realm: URL, authorization: string | undefined): Promise<string | undefined> {
  const headers = authorization === undefined ? {} : { headers: { Authorization: authorization } };
  const answer = await fetch(realm, { ...headers, signal: AbortSignal.timeout(TIMEOUT) });
  return answer.ok ? answer.text() : undefined;
}
