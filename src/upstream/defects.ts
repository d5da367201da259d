import { putLast } from '../lib/put-last.ts';

/** How long a defect is believed in after it was last seen, in milliseconds. Then the registry gets a new chance. */
const REMEMBERED_FOR = 10 * 60_000;
/** Fixes times configured upstreams stay far below this; it only keeps a mistake from growing without end. */
const MAX_DEFECTS = 1_000;

interface SeenDefect {
  readonly upstream: string;
  readonly fix: string;
  readonly limit: number | undefined;
  readonly until: number;
}

export interface DefectMemory {
  proven(upstream: string, fix: string): { readonly limit?: number } | undefined;
  prove(upstream: string, fix: string, found?: { readonly limit?: number }): void;
  /** The defects that are believed in now. */
  list(): readonly { readonly upstream: string; readonly fix: string }[];
  /** The names may mean other registries from now on. */
  clear(): void;
}

/**
 * Remembers which registry showed which defect. In memory only: a restart tries again.
 * @param onNew told once each time that a defect is seen which is not remembered
 */
export function createDefects(now: () => number, onNew: (upstream: string, fix: string) => void): DefectMemory {
  const seen = new Map<string, SeenDefect>();
  const keyOf = (upstream: string, fix: string): string => `${upstream}\n${fix}`;
  const proven = (upstream: string, fix: string): SeenDefect | undefined => {
    const defect = seen.get(keyOf(upstream, fix));
    return defect !== undefined && now() < defect.until ? defect : undefined;
  };
  return {
    proven(upstream, fix) {
      const defect = proven(upstream, fix);
      if (defect === undefined) return undefined;
      return defect.limit === undefined ? {} : { limit: defect.limit };
    },
    prove(upstream, fix, found = {}) {
      const before = proven(upstream, fix);
      const defect = { upstream, fix, limit: found.limit ?? before?.limit, until: now() + REMEMBERED_FOR };
      putLast(seen, keyOf(upstream, fix), defect, MAX_DEFECTS);
      if (before === undefined) onNew(upstream, fix);
    },
    list: () => [...seen.values()].filter((defect) => now() < defect.until),
    clear: () => seen.clear(),
  };
}
