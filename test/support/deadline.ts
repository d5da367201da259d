import { setTimeout as delay } from 'node:timers/promises';

/** A promise that a test releases by hand, so that order never depends on time. */
export interface Barrier {
  readonly passed: Promise<void>;
  release(): void;
}

/** Makes a closed barrier. Releasing it twice is harmless. */
export function barrier(): Barrier {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, release: resolve };
}

/**
 * Waits for a promise, at most `milliseconds`.
 * @throws an error that names `label` when the time is up, or the promise's own error
 */
export async function within<T>(label: string, promise: Promise<T>, milliseconds = 30_000): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(deadlineError(label, milliseconds)), milliseconds);
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks `probe` again and again until it gives a value. Only for what announces nothing by itself,
 * such as the socket of a foreign daemon.
 * @throws an error that names `label` when the time is up, or the probe's own error
 */
export async function eventually<T>(
  label: string,
  probe: () => Promise<T | undefined>,
  milliseconds = 30_000,
): Promise<T> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const value = await probe();
    if (value !== undefined) return value;
    await delay(20);
  }
  throw deadlineError(label, milliseconds);
}

function deadlineError(label: string, milliseconds: number): Error {
  return new Error(`not within ${milliseconds} ms: ${label}`);
}
