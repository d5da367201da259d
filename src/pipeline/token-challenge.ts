import { type Challenge, challengeOf, formatChallenge, parseChallenges } from '../domain/challenge.ts';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValues, withoutHeaders } from '../domain/headers.ts';
import { checkRealm } from '../domain/realm.ts';
import { formatRoute } from '../domain/route-path.ts';
import { scopesFor } from '../domain/scope.ts';
import { usableChallenge } from './challenges.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { reportRepair } from './report.ts';

const MISSING = 'challenge-missing';

/**
 * A 401 of the registry that a client can answer: with its challenge, when the registry forgot it, and with a realm to which
 * credentials may go. The edge puts manifix in the place of that realm.
 * @throws RegistryError for any other realm
 */
export async function answerableChallenge(
  services: Pick<Services, 'challenges' | 'defects'>,
  exchange: Exchange,
  answer: Answer,
): Promise<Answer> {
  const { upstream } = exchange.endpoint;
  if (answer.status !== 401 || upstream.authority === 'own') return answer;
  // Another challenge would only lead back to the token service that gave no token.
  if (exchange.caller.withoutToken !== undefined) throw exchange.caller.withoutToken;
  const received = parseChallenges(headerValues(answer.headers, 'WWW-Authenticate'));
  const complete = await withChallenge(services, exchange, received);
  for (const challenge of complete) checkChallenge(exchange, challenge);
  if (complete === received) return answer;
  const fields: HeaderList = complete.map((challenge) => ['WWW-Authenticate', formatChallenge(challenge)] as const);
  return { ...answer, headers: [...withoutHeaders(answer.headers, 'WWW-Authenticate'), ...fields] };
}

/** The challenges, with the one that `/v2/` is answered with when there is none, and with the scopes of this request. */
async function withChallenge(
  { challenges, defects }: Pick<Services, 'challenges' | 'defects'>,
  exchange: Exchange,
  received: readonly Challenge[],
): Promise<readonly Challenge[]> {
  const { fixes, upstream } = exchange.endpoint;
  const mode = fixes.mode(MISSING);
  if (mode === 'off') return received;
  const scope = scopesFor(exchange.request.method, formatRoute(exchange.request.route)).join(' ');
  const bearer = challengeOf(received, 'bearer');
  if (usableChallenge(received) !== undefined) {
    if (scope === '' || bearer === undefined || bearer.parameters.has('scope')) return received;
    reportRepair(exchange, MISSING, `added the scope ${scope}`);
    defects.prove(upstream.name, MISSING);
    return mode === 'on'
      ? received.map((one) => (one === bearer ? withParameter(one, 'scope', scope) : one))
      : received;
  }
  // The registry's refusal is an answer, whatever becomes of the question that would complete it.
  const learnt = await challenges.of(upstream).catch(() => undefined);
  if (learnt === undefined) return received;
  reportRepair(exchange, MISSING, 'added the challenge with which the registry answers /v2/');
  defects.prove(upstream.name, MISSING);
  if (mode !== 'on') return received;
  return [scope === '' || learnt.scheme.toLowerCase() === 'basic' ? learnt : withParameter(learnt, 'scope', scope)];
}

function checkChallenge(exchange: Exchange, { scheme, parameters }: Challenge): void {
  const { upstream, realms, fixes } = exchange.endpoint;
  const mode = fixes.mode('token-realm');
  const realm = parameters.get('realm');
  if (mode === 'off' || realm === undefined || scheme.toLowerCase() !== 'bearer') return;
  const checked = checkRealm(realm, upstream.origin, realms);
  if ('url' in checked) reportRepair(exchange, 'token-realm', `asks ${checked.url.origin} for the client's tokens`);
  // A token service of somebody else, as vanity names of registries have it, is the client's to trust or not.
  else if (checked.elsewhere !== true && mode === 'on') throw untrustedRealm(upstream.name, checked.wrong);
}

function untrustedRealm(upstream: string, wrong: string): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry names a token service that gets no credentials',
    explanation:
      `The registry ${upstream} wants a token, but the token service that it names ${wrong}. No credentials were sent there. ` +
      `If it is right, add its origin to upstreams.${upstream}.realms.`,
    fix: 'token-realm',
  });
}

function withParameter(challenge: Challenge, name: string, value: string): Challenge {
  return { ...challenge, parameters: new Map([...challenge.parameters, [name, value]]) };
}
