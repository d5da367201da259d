import type { IncomingMessage } from 'node:http';

/** How slowly a body may arrive: it has `grace` milliseconds, and one second more for each `bytesPerSecond` that came. */
export interface BodyPace {
  readonly grace: number;
  readonly bytesPerSecond: number;
}

/**
 * Gives the outcome of reading a request's body, or rejects with what `late` makes of the number of bytes that came when it
 * arrives too slowly. The body is left as it is: whoever answers closes the connection.
 */
export async function readInTime<T>(
  { socket }: IncomingMessage,
  reading: Promise<T>,
  { grace, bytesPerSecond }: BodyPace,
  late: (received: number) => Error,
): Promise<T> {
  const tooLate = Promise.withResolvers<never>();
  const start = performance.now();
  const before = socket.bytesRead;
  let timer = setTimeout(check, grace);

  function check(): void {
    const received = socket.bytesRead - before;
    const left = start + grace + (received / bytesPerSecond) * 1000 - performance.now();
    if (left > 0) timer = setTimeout(check, left);
    else tooLate.reject(late(received));
  }

  try {
    return await Promise.race([reading, tooLate.promise]);
  } finally {
    clearTimeout(timer);
    // Nobody waits any more for a body that was late; the end of its connection is its end.
    reading.catch(() => undefined);
  }
}
