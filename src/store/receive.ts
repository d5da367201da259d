import { finished, type Readable } from 'node:stream';

/** Takes a chunk; a promise asks the sender to wait. A throw ends the transfer. */
export type Take = (chunk: Buffer) => Promise<void> | undefined;

/**
 * Moves a body into `take`. Resolves at its regular end; rejects with its error, what `take` threw, or the signal's reason, and
 * the body is destroyed then. By events: an async iterator joins waiting chunks by copying them.
 */
export function receive(body: Readable, take: Take, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let refusal: { readonly error: unknown } | undefined;
    const stop = (error: unknown) => {
      refusal ??= { error };
      body.destroy();
    };
    const onAbort = () => stop(signal.reason);
    const onData = (chunk: Buffer) => {
      if (refusal !== undefined) return;
      try {
        const pause = take(chunk);
        if (pause === undefined) return;
        body.pause();
        pause.then(() => body.resume(), stop);
      } catch (error) {
        stop(error);
      }
    };
    finished(body, { writable: false }, (error) => {
      signal.removeEventListener('abort', onAbort);
      body.off('data', onData);
      // A destroyed stream may report its error later than its end.
      body.on('error', () => undefined);
      if (refusal !== undefined) reject(refusal.error);
      else if (error) reject(error);
      else resolve();
    });
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    body.on('data', onData);
  });
}
