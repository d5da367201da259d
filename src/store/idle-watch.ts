import type { Clock } from '../lib/clock.ts';

/** Notices that nobody reads. */
export interface IdleWatch {
  /** Watches from now on: whoever wants to read has had the chance to come. */
  start(): void;
  /** A reader came or left, or idleness matters anew. */
  update(): void;
}

const GRACE_MILLISECONDS = 5_000;

/** Calls `onIdle` whenever there were no readers for 5 seconds after `start` or `update`. */
export function createIdleWatch(clock: Clock, readers: () => number, onIdle: () => void): IdleWatch {
  let isStarted = false;
  let cancel: (() => void) | undefined;

  function update(): void {
    if (!isStarted) return;
    if (readers() > 0) {
      cancel?.();
      cancel = undefined;
      return;
    }
    cancel ??= clock.after(GRACE_MILLISECONDS, () => {
      cancel = undefined;
      onIdle();
    });
  }

  return {
    start() {
      isStarted = true;
      update();
    },
    update,
  };
}
