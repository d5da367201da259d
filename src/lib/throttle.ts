import { type Clock, delay } from './clock.ts';

/** Holds work to a rate. */
export interface Throttle {
  /** Says that much work was done. Undefined when more may follow at once; otherwise settles when it may, or rejects like `delay`. */
  spend(amount: number, signal: AbortSignal): Promise<void> | undefined;
}

// Timers are not exact to the millisecond, so that many short waits would add up to a lower rate.
const SHORTEST_WAIT = 50;
const LONGEST_DEBT = 1_000;

/** `rate` is asked each time for the work per second. */
export function createThrottle(clock: Clock, rate: () => number): Throttle {
  let due = Number.NEGATIVE_INFINITY;
  return {
    spend(amount, signal) {
      const now = clock.now();
      // The upper bound matters when the clock was set back.
      due = Math.min(Math.max(due, now), now + LONGEST_DEBT) + (amount / rate()) * 1_000;
      return due - now < SHORTEST_WAIT ? undefined : delay(clock, due - now, signal);
    },
  };
}
