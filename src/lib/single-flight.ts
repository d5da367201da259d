/** Runs a task, or joins the one that runs under the same key. */
export type SingleFlight<T> = (key: string, task: () => Promise<T>) => Promise<T>;

/**
 * Lets simultaneous callers with the same key share one run of a task. The task belongs to none of them: each caller
 * gets the same outcome, and the next call after it settled runs anew. How many may wait is decided where they come from: the
 * edge limits connections, and the requests that wait on each.
 */
export function singleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>();
  return (key, task) => {
    const joined = running.get(key);
    if (joined !== undefined) return joined;
    const started = task().finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
}
