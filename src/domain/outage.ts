import { RegistryError } from './errors.ts';
import type { HeaderList } from './headers.ts';
import { retryAfterOf } from './retry-after.ts';

/** Statuses that say nothing about the content: the registry is overloaded or broken. */
export function isOutage(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Whether a request failed because the registry could not be asked. */
export function isOutageError(error: unknown): error is RegistryError {
  return error instanceof RegistryError && (error.code === 'UNAVAILABLE' || error.code === 'TOOMANYREQUESTS');
}

/** The registry's own refusal to work, as an error that keeps its status and Retry-After. */
export function outageError(status: number, headers: HeaderList, who = 'the registry'): RegistryError {
  return new RegistryError(status === 429 ? 'TOOMANYREQUESTS' : 'UNAVAILABLE', {
    status,
    message: `${who} answered ${status}`,
    headers: retryAfterOf(headers),
  });
}
