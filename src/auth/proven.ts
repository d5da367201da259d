import { putLast } from '../lib/put-last.ts';
import { DAY } from '../lib/units.ts';
import { createSeal, type Seal } from './seal.ts';

/** Credentials that were right, without the credentials. */
export interface Proven {
  readonly seal: Seal;
  /**
   * Whether these credentials were right against `against` (what they are checked with, such as a hash): `now` for a moment ago,
   * `lately` for longer ago.
   */
  when(seal: string, against: string): 'now' | 'lately' | undefined;
  add(seal: string, against: string): void;
}

/** For so long a right password is not computed again. */
const FRESH_FOR = 5 * 60_000;
/** For so long it is known that somebody has it who had a right one before. */
const KNOWN_FOR = DAY;
const MAX_PROVEN = 20_000;

/**
 * Keeps at most so many; those that were not used for the longest time go first.
 * @param now milliseconds of a clock that nobody sets
 */
export function createProven(now: () => number, max = MAX_PROVEN): Proven {
  const proven = new Map<string, { readonly against: string; readonly at: number }>();
  return {
    seal: createSeal(),
    when(seal, against) {
      const found = proven.get(seal);
      if (found === undefined) return undefined;
      proven.delete(seal);
      const age = now() - found.at;
      if (found.against !== against || age >= KNOWN_FOR) return undefined;
      proven.set(seal, found);
      return age < FRESH_FOR ? 'now' : 'lately';
    },
    add: (seal, against) => putLast(proven, seal, { against, at: now() }, max),
  };
}
