/** Runs tasks of the same key one after the other, tasks of different keys side by side. */
export interface KeyedQueue<Key> {
  run<T>(key: Key, task: () => Promise<T>): Promise<T>;
  /** Whether a task of that key is running or waiting. */
  isBusy(key: Key): boolean;
}

/** Makes an empty queue. A task that fails does not stop those behind it. */
export function createKeyedQueue<Key>(): KeyedQueue<Key> {
  const last = new Map<Key, Promise<unknown>>();
  return {
    run(key, task) {
      const before = last.get(key);
      const result = before === undefined ? task() : before.then(task, task);
      const settled = result.then(forget, forget);
      function forget(): void {
        if (last.get(key) === settled) last.delete(key);
      }
      last.set(key, settled);
      return result;
    },
    isBusy: (key) => last.has(key),
  };
}
