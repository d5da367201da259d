import { createShortMemory } from '../lib/short-memory.ts';
import { createSizedMemory } from '../lib/sized-memory.ts';
import type { KeptList, Memories, Refusal } from './ports.ts';

/** Answers 404 that are remembered; each holds at most an error body. */
const MAX_ABSENCES = 1_000;
/** A name for each. */
const MAX_OPEN_REPOSITORIES = 10_000;
const MAX_UPSTREAMS = 1_000;
/** In bytes. */
const ROOM_FOR_LISTS = 16 * 1024 * 1024;

/**
 * What is remembered of registries for a while, with nothing in it.
 * @param now milliseconds of a clock that nobody sets
 */
export function createMemories(now?: () => number): Memories & { clear(): void } {
  const memories = {
    absences: createShortMemory<Refusal>(MAX_ABSENCES, now),
    openToTokens: createShortMemory<object>(MAX_OPEN_REPOSITORIES, now),
    withoutReferrers: createShortMemory<Refusal>(MAX_UPSTREAMS, now),
    refusedAccounts: createShortMemory<object>(MAX_UPSTREAMS, now),
    referrers: createSizedMemory<KeptList>(ROOM_FOR_LISTS),
  };
  return {
    ...memories,
    clear() {
      for (const memory of Object.values(memories)) memory.clear();
    },
  };
}
