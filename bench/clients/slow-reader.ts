import { openConnection } from './connection.ts';

/** A client that reads a little at a time and never comes to an end. */
export interface SlowReader {
  /** Settles with the first bytes; rejects when the server ends the connection before that. */
  readonly begun: Promise<void>;
  /** Why the server ended it, if it did. */
  failure(): Error | undefined;
  close(): void;
}

const READ_BYTES = 1024;

/** Starts to read a URL at that speed. */
export function openSlowReader(url: string, bytesPerSecond: number): SlowReader {
  const begun = Promise.withResolvers<void>();
  const pause = (READ_BYTES / bytesPerSecond) * 1000;
  let failure: Error | undefined;
  let resume: NodeJS.Timeout | undefined;
  const socket = openConnection({
    url,
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    onHead: () => undefined,
    onBody() {
      begun.resolve();
      resume = setTimeout(() => socket.resume(), pause);
      return false;
    },
    onFailure(error) {
      failure = error;
      begun.reject(error);
    },
  });
  return {
    begun: begun.promise,
    failure: () => failure,
    close() {
      clearTimeout(resume);
      socket.destroy();
    },
  };
}
