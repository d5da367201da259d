/** The outcome of a promise, or undefined when it does not settle within that many milliseconds; it runs on then. */
export async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  if (milliseconds === Number.POSITIVE_INFINITY) return promise;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
