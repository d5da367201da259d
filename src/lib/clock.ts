/** Time as a program sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once when that many milliseconds are over, unless the returned function is called before. Keeps no process alive. */
  after(milliseconds: number, action: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, action) {
    const due = performance.now() + milliseconds;
    let timer = setTimeout(ring, timerFor(milliseconds)).unref();
    // Node's timers go by a coarse clock and may call back before a pause is over that a registry asked for.
    function ring(): void {
      const left = due - performance.now();
      if (left > 0) timer = setTimeout(ring, timerFor(left)).unref();
      else action();
    }
    return () => clearTimeout(timer);
  },
};

/** Node takes a timer that is longer than this for one of a millisecond. */
const LONGEST_TIMER = 2 ** 31 - 1;

function timerFor(milliseconds: number): number {
  return Math.min(Math.ceil(milliseconds), LONGEST_TIMER);
}

/** Resolves after that many milliseconds, or rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
