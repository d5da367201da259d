import { within } from './deadline.ts';

/** A record that grows, on which tests can wait. */
export interface Arrivals<T> {
  readonly all: readonly T[];
  add(item: T): void;
  /** The first item, already there or still to come, that the predicate accepts. Rejects with the label after 30 s. */
  first(label: string, accepts: (item: T) => boolean): Promise<T>;
}

/** Makes an empty record. */
export function arrivals<T>(): Arrivals<T> {
  const all: T[] = [];
  const listeners = new Set<(item: T) => void>();

  function add(item: T): void {
    all.push(item);
    for (const listener of listeners) listener(item);
  }

  async function first(label: string, accepts: (item: T) => boolean): Promise<T> {
    const found = Promise.withResolvers<T>();
    const listener = (item: T) => {
      if (accepts(item)) found.resolve(item);
    };
    all.forEach(listener);
    listeners.add(listener);
    try {
      return await within(label, found.promise);
    } finally {
      listeners.delete(listener);
    }
  }

  return { all, add, first };
}
