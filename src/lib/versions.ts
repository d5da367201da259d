import { putLast } from './put-last.ts';

/** Numbers that tell whether something changed in the meantime. */
export interface Versions {
  /** The number of now; another one after each change. */
  of(name: string): number;
  changed(name: string): void;
  /** Everything changed. */
  allChanged(): void;
}

/** Keeps the numbers of the names that changed last, at most `max` of them; the oldest become unchanged ones again. */
export function createVersions(max = 10_000): Versions {
  const versions = new Map<string, number>();
  let last = 0;
  let floor = 0;
  return {
    of: (name) => versions.get(name) ?? floor,
    changed(name) {
      last += 1;
      putLast(versions, name, last, max);
    },
    allChanged() {
      last += 1;
      floor = last;
      versions.clear();
    },
  };
}
