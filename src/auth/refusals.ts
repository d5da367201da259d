import type { Authenticated } from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';

/** Where somebody wants to log in, and as whom as far as that was said. */
export interface Login {
  readonly endpoint: string;
  readonly user?: string | undefined;
}

/** The credentials count for nothing at the endpoint, which says why. */
export function refused(login: Login, why: string): Authenticated {
  const explanation = `The endpoint "${login.endpoint}" of manifix ${why}.`;
  return { refused: new RegistryError('UNAUTHORIZED', { explanation, denied: { action: 'login', ...login } }) };
}

/** The same for users that there are and for others. */
export function wrongPassword(login: Login): Authenticated {
  const explanation = `The user name or the password is wrong at the endpoint "${login.endpoint}" of manifix.`;
  return { refused: new RegistryError('UNAUTHORIZED', { explanation, denied: { action: 'login', ...login } }) };
}

/** @param pause in milliseconds */
export function tooManyWrong(login: Login, pause: number): Authenticated {
  const seconds = Math.ceil(pause / 1_000);
  return {
    refused: new RegistryError('TOOMANYREQUESTS', {
      message: 'too many wrong passwords',
      explanation: `There were too many wrong passwords for this user or from this address. Try again in ${seconds} s.`,
      headers: [['Retry-After', String(seconds)]],
      denied: { action: 'login', ...login },
    }),
  };
}

/** Whether the credentials are right cannot be found out now. */
export function undecided({ endpoint }: Login, why: string, cause?: unknown): Authenticated {
  return {
    refused: new RegistryError('UNAVAILABLE', {
      explanation: `The endpoint "${endpoint}" of manifix cannot check these credentials now: ${why}.`,
      headers: [['Retry-After', '10']],
      cause,
    }),
  };
}
