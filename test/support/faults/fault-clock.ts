import type { Clock } from '../../../src/lib/clock.ts';

/** The store's time in a test: it stands still, but for the short pauses before another try, which end at once. */
export interface FaultClock extends Clock {
  /** Lets time pass and runs what is due, in order. */
  advance(milliseconds: number): void;
  /** Sets the wall clock forwards or backwards; no timer notices. */
  jump(milliseconds: number): void;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly due: number;
  readonly action: () => void;
}

const SHORT_PAUSE = 1_000;

export function createFaultClock(): FaultClock {
  const start = Date.now();
  const timers = new Set<Timer>();
  let elapsed = 0;
  let offset = 0;

  function run(timer: Timer): void {
    if (!timers.delete(timer)) return;
    elapsed = Math.max(elapsed, timer.due);
    timer.action();
  }

  return {
    now: () => start + elapsed + offset,
    after(milliseconds, action) {
      const timer = { due: elapsed + milliseconds, action };
      timers.add(timer);
      if (milliseconds <= SHORT_PAUSE) setImmediate(run, timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const end = elapsed + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ due }) => due <= end).sort((one, other) => one.due - other.due);
        if (next === undefined) break;
        run(next);
      }
      elapsed = Math.max(elapsed, end);
    },
    jump(milliseconds) {
      offset += milliseconds;
    },
    get pending() {
      return timers.size;
    },
  };
}
