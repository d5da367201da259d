import type { IncomingMessage } from 'node:http';
import type { Coverage } from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { type Action, ANONYMOUS, type Principal } from '../domain/principal.ts';
import type { Arrival } from './arrival.ts';
import type { TrustCheck } from './client.ts';
import { credentialsInUrl } from './credentials-in-url.ts';
import { ownChallenge } from './own-challenge.ts';
import { shownBy } from './shown.ts';

/** Who sent a request, and what he may do at its endpoint. */
export interface Identity {
  readonly principal: Principal;
  /** Whether the endpoint's rules let him, by the upstream's name of the repository. */
  readonly isAllowed: (action: Action, repository: string) => boolean;
  readonly isEverAllowed: (action: Action) => boolean;
  /** Whether what he showed is good for it. */
  readonly covers: Coverage;
  /** When what he showed ends, in milliseconds since the epoch. */
  readonly until?: number;
}

const anything = () => true;

/** Where there is no guard, and for operators: manifix lets him do what the registry lets him. */
export const ANYBODY: Identity = {
  principal: ANONYMOUS,
  isAllowed: anything,
  isEverAllowed: anything,
  covers: anything,
};

/**
 * Finds out who is asking, where the endpoint wants to know.
 * @throws RegistryError
 */
export async function identify(
  arrival: Arrival,
  incoming: IncomingMessage,
  headers: HeaderList,
  trusts: TrustCheck,
): Promise<Identity> {
  const { guard } = arrival.reached.endpoint;
  if (guard === undefined) return ANYBODY;
  // RFC 9110, section 4.2.4: they are an error. Where nobody has to log in they do no harm, and some clients go on sending them.
  if (/^https?:\/\/[^/?#]*@/i.test(incoming.url ?? '')) throw credentialsInUrl();
  const { authentication, rights } = guard;
  const known = await authentication.authenticate(shownBy(incoming, headers, trusts));
  if ('refused' in known) throw withChallenge(known.refused, ownChallenge(arrival));
  const { principal, covers = anything, until } = known;
  return {
    principal,
    isAllowed: (action, repository) => rights.decide(principal, action, repository).allowed,
    isEverAllowed: (action) => rights.isEverAllowed(principal, action),
    covers,
    ...(until === undefined ? {} : { until }),
  };
}

/** A refusal with the way to credentials that are accepted (RFC 9110, section 11.6.1). */
export function withChallenge(refusal: RegistryError, challenge: HeaderList): RegistryError {
  const { code, status, message, headers, explanation, detail, denied, cause } = refusal;
  if (status !== 401) return refusal;
  return new RegistryError(code, {
    status,
    message,
    detail,
    cause,
    ...(denied === undefined ? {} : { denied }),
    headers: [...headers, ...challenge],
    ...(explanation === undefined ? {} : { explanation }),
  });
}
