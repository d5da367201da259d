import type { Clock } from '../../../src/lib/clock.ts';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time and runs what is due, in order. */
  advance(milliseconds: number): void;
  /** Settles when somebody waits for exactly that long. */
  waitedFor(milliseconds: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly milliseconds: number;
  readonly action: () => void;
}

export function createManualClock(start = 1_700_000_000_000): ManualClock {
  let time = start;
  const timers = new Set<Timer>();
  const watchers = new Set<{ readonly milliseconds: number; readonly resolve: () => void }>();
  return {
    now: () => time,
    after(milliseconds, action) {
      const timer = { at: time + milliseconds, milliseconds, action };
      timers.add(timer);
      for (const watcher of watchers) if (watcher.milliseconds === milliseconds) watcher.resolve();
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        timers.delete(next);
        time = next.at;
        next.action();
      }
      time = end;
    },
    waitedFor(milliseconds) {
      if ([...timers].some((timer) => timer.milliseconds === milliseconds)) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.add({ milliseconds, resolve });
      return promise;
    },
  };
}
