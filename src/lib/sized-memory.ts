/** Remembers values by name, as many as their sizes allow. */
export interface SizedMemory<Value> {
  get(name: string): Value | undefined;
  /** What is larger than a quarter of the room is not kept. */
  put(name: string, value: Value, size: number): void;
  delete(name: string): void;
  clear(): void;
}

/** Keeps at most `room` in all; what was put first goes first. */
export function createSizedMemory<Value>(room: number): SizedMemory<Value> {
  const kept = new Map<string, { readonly value: Value; readonly size: number }>();
  let taken = 0;
  const remove = (name: string): void => {
    taken -= kept.get(name)?.size ?? 0;
    kept.delete(name);
  };
  return {
    get: (name) => kept.get(name)?.value,
    put(name, value, size) {
      remove(name);
      if (size > room / 4) return;
      kept.set(name, { value, size });
      taken += size;
      for (const oldest of kept.keys()) {
        if (taken <= room) break;
        remove(oldest);
      }
    },
    delete: remove,
    clear() {
      kept.clear();
      taken = 0;
    },
  };
}
