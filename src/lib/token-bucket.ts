/** How much may happen in a second on average, and at once after a rest. */
export interface BucketSize {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

/** Holds events to a rate: in any time no more happen than the rate allows in it, plus one burst. */
export interface TokenBucket {
  /** Milliseconds until the next event may happen; 0 when it may now. */
  wait(): number;
  /** An event happens. Only after `wait` gave 0. */
  take(): void;
  /** Takes another size into use, with what is left of the old one. */
  resize(size: BucketSize): void;
}

/** Makes a full bucket. @param now milliseconds; a clock that is set back gives nothing and takes nothing */
export function createTokenBucket(initial: BucketSize, now: () => number): TokenBucket {
  let size = initial;
  let left = size.burst;
  let at = now();

  function refill(): void {
    const time = now();
    left = Math.min(size.burst, left + (Math.max(0, time - at) * size.perSecond) / 1_000);
    at = time;
  }

  return {
    wait() {
      refill();
      return left >= 1 ? 0 : ((1 - left) * 1_000) / size.perSecond;
    },
    take() {
      left -= 1;
    },
    resize(next) {
      refill();
      size = next;
      left = Math.min(left, size.burst);
    },
  };
}
