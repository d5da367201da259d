import type { RegistryError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Account } from './limit-account.ts';
import type { Whose } from './limit-errors.ts';

/** How long a download waits for its turn in milliseconds: clients give up after 30 s without an answer. */
const LONGEST_WAIT = 20_000;

/** The places that one client's downloads take: one of the user's own, and one of those that the endpoint has for all. */
export interface FillPlaces {
  readonly client: string;
  readonly user: Account | undefined;
  readonly endpoint: Account;
}

/**
 * Waits for both places, in this order, so that nobody holds one of all while he waits for his own. Resolves with the function
 * that frees them.
 * @param late what it rejects with when that takes too long, by whose places were taken
 */
export async function enterFill(
  clock: Clock,
  { client, user, endpoint }: FillPlaces,
  signal: AbortSignal,
  late: (whose: Whose) => RegistryError,
): Promise<() => void> {
  const tooLate = new AbortController();
  let whose: Whose = user === undefined ? 'endpoint' : 'user';
  const cancel = clock.after(LONGEST_WAIT, () => tooLate.abort(late(whose)));
  const ended = AbortSignal.any([signal, tooLate.signal]);
  let leaveUser: (() => void) | undefined;
  try {
    leaveUser = await user?.enterFill(ended, client);
    whose = 'endpoint';
    const leave = await endpoint.enterFill(ended, client);
    return () => {
      leave();
      leaveUser?.();
    };
  } catch (error) {
    leaveUser?.();
    throw error;
  } finally {
    cancel();
  }
}
