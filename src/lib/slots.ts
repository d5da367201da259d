/** A fixed number of places; whoever finds none waits in the order of arrival. */
export interface Slots {
  /** Resolves with the function that frees the place. Rejects with the signal's reason when it aborts first. */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

/** Makes `count` free places. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  function release(): void {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else next();
  }

  return {
    acquire(signal) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const enter = () => {
          waiting.delete(enter);
          signal?.removeEventListener('abort', leave);
          resolve(once(release));
        };
        const leave = () => {
          waiting.delete(enter);
          reject(signal?.reason);
        };
        if (free > 0) {
          free -= 1;
          resolve(once(release));
          return;
        }
        waiting.add(enter);
        signal?.addEventListener('abort', leave, { once: true });
      });
    },
  };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
