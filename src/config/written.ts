import type { Path } from './schema-keys.ts';

/** A map as it comes from YAML. */
export type WrittenMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is WrittenMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Drops members without a value: a key whose only entries are commented out is a key that is not set. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isMap(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  // fromEntries makes own members of all names, `__proto__` too, so that none escapes the checks.
  return Object.fromEntries(members.map(([key, member]) => [key, withoutEmpty(member)]));
}

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === 'number') value = value[key];
    else if (isMap(value) && typeof key === 'string' && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

/** A copy with another value at a path; maps and lists on the way are made where they are missing. */
export function withValueAt(root: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const list: readonly unknown[] = Array.isArray(root) ? root : [];
    return list.toSpliced(key, 1, withValueAt(list[key], rest, value));
  }
  const map = isMap(root) ? root : {};
  return { ...map, [key]: withValueAt(valueAt(map, [key]), rest, value) };
}
