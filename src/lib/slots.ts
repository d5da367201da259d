/** A number of places. Whoever finds none waits: groups take turns, and within a group the order of arrival counts. */
export interface Slots {
  /** Resolves with the function that frees the place. Rejects with the signal's reason when it aborts first. */
  acquire(signal?: AbortSignal, group?: string): Promise<() => void>;
  /** Changes the number; who has a place keeps it. */
  resize(count: number): void;
}

/** Makes `count` free places. */
export function createSlots(count: number): Slots {
  let places = count;
  let taken = 0;
  /** Who waits, by group; the group whose turn it is comes first. */
  const waiting = new Map<string, Set<() => void>>();

  function admitNext(): void {
    while (taken < places) {
      const [turn] = waiting;
      if (turn === undefined) return;
      const [group, entries] = turn;
      const [next] = entries;
      waiting.delete(group);
      if (next === undefined) continue;
      entries.delete(next);
      if (entries.size > 0) waiting.set(group, entries);
      taken += 1;
      next();
    }
  }

  function release(): void {
    taken -= 1;
    admitNext();
  }

  function enqueue(group: string, enter: () => void): () => void {
    const entries = waiting.get(group) ?? new Set();
    entries.add(enter);
    waiting.set(group, entries);
    return () => {
      entries.delete(enter);
      if (entries.size === 0 && waiting.get(group) === entries) waiting.delete(group);
    };
  }

  return {
    acquire(signal, group = '') {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (taken < places) {
          taken += 1;
          resolve(once(release));
          return;
        }
        const withdraw = enqueue(group, () => {
          signal?.removeEventListener('abort', leave);
          resolve(once(release));
        });
        const leave = () => {
          withdraw();
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', leave, { once: true });
      });
    },
    resize(next) {
      places = next;
      admitNext();
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
