/** Whether all faults run with their large numbers, as `npm run test:faults` has it. */
export const isFullRun = process.env.FAULTS === 'all';

/** The number for the short run, or the one for the full run. */
export function scale(short: number, full: number): number {
  return isFullRun ? full : short;
}

/** The seeds of a randomised test: `FAULT_SEED=n` replays one, otherwise the full run begins somewhere else each time. */
export function seeds(count: number): readonly number[] {
  const wanted = process.env.FAULT_SEED;
  if (wanted !== undefined) return [Number(wanted)];
  const first = isFullRun ? Math.floor(Math.random() * 1e9) : 1;
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Runs a test for each seed; what fails says how to replay it. */
export async function forEachSeed(count: number, body: (random: Random, seed: number) => Promise<void>): Promise<void> {
  for (const seed of seeds(count)) {
    try {
      await body(seededRandom(seed), seed);
    } catch (cause) {
      throw new Error(`seed ${seed} failed; FAULT_SEED=${seed} replays it: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Numbers that follow from a seed. */
export interface Random {
  /** From 0 to `limit` - 1. */
  below(limit: number): number;
  /** True in one of `count` cases. */
  oneIn(count: number): boolean;
}

/** The generator "mulberry32": small, and good enough to choose test cases. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, oneIn: (count) => below(count) === 0 };
}
