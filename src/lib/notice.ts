/** Wakes everyone who waits, each time. */
export interface Notice {
  wait(): Promise<void>;
  give(): void;
}

export function createNotice(): Notice {
  let waiting: PromiseWithResolvers<void> | undefined;
  return {
    wait() {
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    give() {
      const woken = waiting;
      waiting = undefined;
      woken?.resolve();
    },
  };
}
