import { setTimeout as delay } from 'node:timers/promises';

export interface TokenBucket {
  /** Resolves when this many more bytes may be sent. */
  take(bytes: number): Promise<void> | undefined;
}

// Timers fire late; what they lose may be made up for, but not saved up.
const BURST_MILLISECONDS = 10;

/** A link of that many bytes per second which all who take from it share. 0 means no limit. */
export function createTokenBucket(bytesPerSecond: number): TokenBucket {
  let freeAt = 0;
  return {
    take(bytes) {
      if (bytesPerSecond === 0) return undefined;
      const now = performance.now();
      freeAt = Math.max(freeAt, now - BURST_MILLISECONDS) + (bytes / bytesPerSecond) * 1000;
      return freeAt > now ? delay(freeAt - now) : undefined;
    },
  };
}
