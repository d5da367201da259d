import type { IncomingMessage } from 'node:http';
import type { Coverage, Recognised } from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { type Action, ANONYMOUS, type Principal } from '../domain/principal.ts';
import type { Guard } from '../pipeline/exchange.ts';
import type { Arrival } from './arrival.ts';
import type { TrustCheck } from './client.ts';
import { credentialsInUrl } from './credentials-in-url.ts';
import type { Reached } from './endpoint-routes.ts';
import { ownChallenge } from './own-challenge.ts';
import { areOwn, passesCredentials } from './own-credentials.ts';
import { shownBy } from './shown.ts';

/** Who sent a request, and what he may do at its endpoint. */
export interface Identity {
  readonly principal: Principal;
  /** Whether the endpoint wants to know who is asking. */
  readonly isAsked: boolean;
  /** Whether the endpoint's rules let him, by the upstream's name of the repository. */
  readonly isAllowed: (action: Action, repository: string) => boolean;
  readonly isEverAllowed: (action: Action) => boolean;
  /** Whether what he showed is good for it. */
  readonly covers: Coverage;
  /** Whether what he showed is meant for manifix, so that it is nothing to the endpoint's registry. */
  readonly showsOwn?: boolean;
  /** When what he showed ends, in milliseconds since the epoch. */
  readonly until?: number;
}

const anything = () => true;

/** Where there is no guard, and for operators: manifix lets him do what the registry lets him. */
export const ANYBODY: Identity = {
  principal: ANONYMOUS,
  isAsked: false,
  isAllowed: anything,
  isEverAllowed: anything,
  covers: anything,
};

/**
 * Finds out who is asking, where the endpoint wants to know.
 * @param others those who know users of manifix at the same address
 * @throws RegistryError
 */
export async function identify(
  arrival: Arrival,
  incoming: IncomingMessage,
  headers: HeaderList,
  trusts: TrustCheck,
  others: readonly Guard[],
): Promise<Identity> {
  const { reached } = arrival;
  const guards = guardsAt(reached);
  const openIdentity = async (): Promise<Identity> => {
    if (!passesCredentials(reached.endpoint)) return ANYBODY;
    return { ...ANYBODY, showsOwn: await areOwn(others, shownBy(incoming, headers, trusts)) };
  };
  if (guards.length === 0) return openIdentity();
  // RFC 9110, section 4.2.4: they are an error. Where nobody has to log in they do no harm, and some clients go on sending them.
  if (/^https?:\/\/[^/?#]*@/i.test(incoming.url ?? '')) throw credentialsInUrl();
  const shown = shownBy(incoming, headers, trusts);
  try {
    const { guard, who } = await firstToKnow(guards, async ({ authentication }) => {
      const outcome = await authentication.authenticate(shown);
      if ('refused' in outcome) throw withChallenge(outcome.refused, ownChallenge(arrival));
      return outcome;
    });
    return identityOf(guard, who);
  } catch (error) {
    // What is not for those at other prefixes may be for the registry, which asks nobody here.
    if (reached.endpoint.guard === undefined) return openIdentity();
    throw error;
  }
}

function identityOf({ rights }: Guard, { principal, covers = anything, until }: Recognised): Identity {
  return {
    principal,
    isAsked: true,
    isAllowed: (action, repository) => rights.decide(principal, action, repository).allowed,
    isEverAllowed: (action) => rights.isEverAllowed(principal, action),
    covers,
    ...(until === undefined ? {} : { until }),
  };
}

/** Who may know the client: the endpoint's guard, and for a request that names no repository those of other prefixes. */
export function guardsAt({ endpoint, besides = [] }: Reached): readonly Guard[] {
  return [endpoint, ...besides].flatMap(({ guard }) => (guard === undefined ? [] : [guard]));
}

/**
 * The first guard that knows the client, or else the first to which he is nobody in particular.
 * @param ask rejects with a RegistryError for a client whose credentials are wrong
 * @throws RegistryError of the first guard, or of the first that cannot tell now
 */
export async function firstToKnow(
  guards: readonly Guard[],
  ask: (guard: Guard) => Promise<Recognised>,
): Promise<{ readonly guard: Guard; readonly who: Recognised }> {
  let nobody: { readonly guard: Guard; readonly who: Recognised } | undefined;
  let refusal: RegistryError | undefined;
  for (const guard of guards) {
    try {
      const who = await ask(guard);
      if (who.principal.user !== undefined) return { guard, who };
      nobody ??= { guard, who };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      // Where the credentials cannot be checked now they may be right, whatever the others say.
      if (refusal === undefined || (refusal.status === 401 && error.status !== 401)) refusal = error;
    }
  }
  if (nobody === undefined) throw refusal;
  return nobody;
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
