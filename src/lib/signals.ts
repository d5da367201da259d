import type { EventEmitter } from 'node:events';

/** Within this time a second signal is the first one again: npm hands on the Ctrl-C that the terminal sent to both. */
const SAME_SIGNAL_MILLISECONDS = 1000;

export interface SignalActions {
  /** Ends the work in an orderly way. */
  readonly stop: () => Promise<void>;
  /** Reads the settings anew; handles its own failures. */
  readonly reload: () => Promise<void>;
  readonly exit: (code: number) => void;
}

/**
 * SIGTERM and SIGINT stop and exit with 0, or with 1 when stopping fails; a later second one exits with 1 at once.
 * SIGHUP reloads; reloads that come together run one after the other.
 */
export function handleSignals(source: EventEmitter, { stop, reload, exit }: SignalActions): void {
  let stoppingSince: number | undefined;
  let reloading = Promise.resolve();

  function onStop(): void {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince >= SAME_SIGNAL_MILLISECONDS) exit(1);
      return;
    }
    stoppingSince = performance.now();
    stop().then(
      () => exit(0),
      () => exit(1),
    );
  }

  source.on('SIGTERM', onStop);
  source.on('SIGINT', onStop);
  source.on('SIGHUP', () => {
    reloading = reloading.then(reload);
  });
}
