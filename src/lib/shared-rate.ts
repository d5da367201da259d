import type { Clock } from './clock.ts';

/** A rate that several flows share: each that wants more than its share gets as much as the others. */
export interface SharedRate {
  flow(): Flow;
  /** Per second; Infinity lets everything pass. */
  setRate(rate: number): void;
  /** Whether something may pass now. */
  readonly isFree: boolean;
}

/** One of those who share, such as an answer on its connection. It waits for one thing at a time. */
export interface Flow {
  /** Lets an amount pass: undefined when it may at once, else settles when it may, or when the flow ends. */
  pass(amount: number): Promise<void> | undefined;
  /** Nothing more is wanted. */
  end(): void;
}

interface Waiting {
  /** Where in the virtual time of self-clocked fair queueing it ends: the lowest goes first, so that what is small waits little. */
  readonly finish: number;
  readonly amount: number;
  readonly go: () => void;
}

/** What may pass at once after a rest, in seconds of the rate. */
const BURST_SECONDS = 0.1;
// Timers are not exact to the millisecond, and each costs as much as sending a chunk.
const SHORTEST_WAIT = 10;

/**
 * In any time passes what the rate allows in it, plus a tenth of a second's worth and one amount, because an amount is never cut:
 * what goes over is owed. One timer serves all that wait.
 */
export function createSharedRate(clock: Clock, initial: number): SharedRate {
  let rate = initial;
  let left = rate * BURST_SECONDS;
  let at = clock.now();
  /** The end of what passed last. */
  let virtual = 0;
  const queue: Waiting[] = [];
  let cancel: (() => void) | undefined;

  function refill(): void {
    const time = clock.now();
    const earned = rate === Number.POSITIVE_INFINITY ? rate : (Math.max(0, time - at) * rate) / 1_000;
    left = Math.min(rate * BURST_SECONDS, left + earned);
    at = time;
  }

  function serve(): void {
    cancel?.();
    cancel = undefined;
    refill();
    while (left >= 0) {
      const next = queue.shift();
      if (next === undefined) return;
      left -= next.amount;
      virtual = next.finish;
      next.go();
    }
    if (queue.length > 0) cancel = clock.after(Math.max(SHORTEST_WAIT, Math.ceil((-left * 1_000) / rate)), serve);
  }

  function enqueue(entry: Waiting): void {
    const behind = queue.findLastIndex(({ finish }) => finish <= entry.finish);
    queue.splice(behind + 1, 0, entry);
    if (cancel === undefined) serve();
  }

  function withdraw(entry: Waiting): void {
    const index = queue.indexOf(entry);
    if (index >= 0) queue.splice(index, 1);
  }

  return {
    get isFree() {
      if (queue.length > 0) return false;
      refill();
      return left >= 0;
    },
    setRate(next) {
      refill();
      rate = next;
      serve();
    },
    flow() {
      let finish = 0;
      let waiting: { readonly entry: Waiting; readonly go: () => void } | undefined;
      return {
        pass(amount) {
          finish = Math.max(virtual, finish) + amount;
          if (queue.length === 0) {
            refill();
            if (left >= 0) {
              left -= amount;
              virtual = finish;
              return undefined;
            }
          }
          return new Promise<void>((resolve) => {
            const go = () => {
              waiting = undefined;
              resolve();
            };
            const entry = { finish, amount, go };
            waiting = { entry, go };
            enqueue(entry);
          });
        },
        end() {
          if (waiting === undefined) return;
          withdraw(waiting.entry);
          waiting.go();
        },
      };
    },
  };
}
