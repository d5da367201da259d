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
  after: (milliseconds, action) => {
    // Node counts whole milliseconds and may call back one too early, before a pause that a registry asked for is over.
    const timer = setTimeout(action, milliseconds + 1);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

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
