import { type Clock, delay } from '../lib/clock.ts';
import { createThrottle } from '../lib/throttle.ts';
import type { CheckContent } from './check-content.ts';
import type { Contents } from './contents.ts';
import type { Counters } from './counters.ts';
import type { Health } from './health.ts';
import type { ScrubPosition } from './scrub-position.ts';

export interface ScrubberOptions {
  readonly contents: Contents;
  readonly check: CheckContent;
  readonly position: ScrubPosition;
  readonly counters: Counters;
  readonly health: Health;
  readonly clock: Clock;
}

/** Hashes what is stored, one file after the other in the order of digests, round after round. */
export interface Scrubber {
  /** Bytes per second from now on; 0 is off, as at the beginning. */
  setRate(bytesPerSecond: number): void;
  /** Ends it; settles when nothing is being read any more. */
  close(): Promise<void>;
}

// A disk does about that much in the time that it takes to find and open a file.
const OPENING_COST = 64 * 1024;
const SAVE_EVERY = 5_000;
const ROUND_AT_LEAST = 3_600_000;

/** A round goes on where an earlier process left it. A new one begins an hour after the last one began, at the earliest. */
export function createScrubber({ contents, check, position, counters, health, clock }: ScrubberOptions): Scrubber {
  let rate = 0;
  let running: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  const throttle = createThrottle(clock, () => rate);

  async function scrub(signal: AbortSignal): Promise<void> {
    let roundBegan = clock.now();
    let savedAt = clock.now();
    const pause = (length: number): Promise<void> | undefined => {
      counters.scrubbed += length;
      return throttle.spend(length, signal);
    };
    while (!signal.aborted) {
      const content = contents.next(position.last);
      if (content === undefined) {
        position.complete(clock.now());
        await delay(clock, ROUND_AT_LEAST - Math.min(clock.now() - roundBegan, ROUND_AT_LEAST), signal);
        roundBegan = clock.now();
        continue;
      }
      await check(content, signal, pause);
      position.moveTo(content);
      if (Math.abs(clock.now() - savedAt) >= SAVE_EVERY) {
        position.save();
        savedAt = clock.now();
      }
      await throttle.spend(OPENING_COST, signal);
    }
  }

  function start(): void {
    const controller = new AbortController();
    const done = scrub(controller.signal)
      .catch((error) => {
        if (!controller.signal.aborted) health.failed(error);
      })
      .finally(position.save);
    running = { controller, done };
  }

  function stop(): void {
    running?.controller.abort();
    ended = Promise.all([ended, running?.done]);
    running = undefined;
  }

  return {
    setRate(bytesPerSecond) {
      rate = bytesPerSecond;
      if (rate === 0) stop();
      else if (running === undefined) start();
    },
    async close() {
      stop();
      await ended;
    },
  };
}
