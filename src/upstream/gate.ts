import { RegistryError } from '../domain/errors.ts';
import { type Clock, delay, systemClock } from '../lib/clock.ts';
import { createSlots } from '../lib/slots.ts';

/** How many reads a registry gets, as the operator says. */
export interface ReadLimits {
  /** At one time, until the last byte of their answers. */
  readonly concurrency?: number | undefined;
  /** In any one second. */
  readonly rate?: number | undefined;
}

/** Where reads wait for their turn, in the order of arrival. */
export interface Gate {
  /** Resolves with the function that ends the read. Rejects after ten seconds with a 503, aborted with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** Clients give up after 30 s without an answer. */
const LONGEST_WAIT = 10_000;

/** @param who the registry as the subject of a sentence */
export function createGate(who: string, { concurrency, rate }: ReadLimits, clock: Clock = systemClock): Gate {
  const places = createSlots(concurrency ?? Number.POSITIVE_INFINITY);
  const turnstile = createSlots(1);
  /** When the last reads began, as many as may begin within a second. */
  const begun: number[] = [];

  async function pace(allowed: number, signal: AbortSignal): Promise<void> {
    const turn = await turnstile.acquire(signal);
    try {
      const [first = Number.NEGATIVE_INFINITY] = begun.length < allowed ? [] : begun;
      const left = first + 1_000 - clock.now();
      // A clock that was set back must not stop everything.
      if (left > 0) await delay(clock, Math.min(left, 1_000), signal);
      begun.push(clock.now());
      if (begun.length > allowed) begun.shift();
    } finally {
      turn();
    }
  }

  return {
    async enter(signal) {
      const late = new AbortController();
      const cancel = clock.after(LONGEST_WAIT, () => late.abort(busy(who)));
      const ended = AbortSignal.any([signal, late.signal]);
      try {
        const leave = await places.acquire(ended);
        if (rate !== undefined) {
          await pace(rate, ended).catch((error: unknown) => {
            leave();
            throw error;
          });
        }
        return leave;
      } finally {
        cancel();
      }
    },
  };
}

function busy(who: string): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    message: 'too many requests wait for the registry',
    explanation: `${who} gets no more requests than upstreams.<name>.limits allows, and those before this one took too long. Try again.`,
    headers: [['Retry-After', '1']],
  });
}
