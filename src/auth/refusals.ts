import type { Authenticated } from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';
import { formatRetryAfter } from '../domain/retry-after.ts';

/** Where somebody wants to log in, and as whom as far as that was said. */
export interface Login {
  readonly endpoint: string;
  readonly user?: string | undefined;
}

/** The credentials count for nothing at the endpoint, which says why: clients show the message, and nothing else. */
export function refused(login: Login, why: string): Authenticated {
  return unauthorized(login, `the endpoint "${login.endpoint}" ${why}`);
}

/** The same for users that there are and for others. */
export function wrongPassword(login: Login): Authenticated {
  return unauthorized(login, `the user name or the password is wrong at the endpoint "${login.endpoint}"`);
}

function unauthorized(login: Login, message: string): Authenticated {
  return { refused: new RegistryError('UNAUTHORIZED', { message, denied: { action: 'login', ...login } }) };
}

/** @param pause in milliseconds */
export function tooManyWrong(login: Login, pause: number): Authenticated {
  const seconds = formatRetryAfter(pause);
  return {
    refused: new RegistryError('TOOMANYREQUESTS', {
      message: `too many wrong passwords for this user or from this address; try again in ${seconds} s`,
      headers: [['Retry-After', seconds]],
      denied: { action: 'login', ...login },
    }),
  };
}

/** Whether the credentials are right cannot be found out now. */
export function undecided({ endpoint }: Login, why: string, cause?: unknown): Authenticated {
  return {
    refused: new RegistryError('UNAVAILABLE', {
      message: `the endpoint "${endpoint}" cannot check these credentials now: ${why}`,
      headers: [['Retry-After', '10']],
      cause,
    }),
  };
}
