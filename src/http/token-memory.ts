import { type AnonymousTokens, createAnonymousTokens } from './anonymous-tokens.ts';
import { createStandIns, type StandIns } from './stand-in-tokens.ts';

/** What is known of the tokens that clients show. */
export interface TokenMemory {
  readonly anonymous: AnonymousTokens;
  readonly standIns: StandIns;
}

/** @param now milliseconds of a clock that nobody sets */
export function createTokenMemory(now: () => number = () => performance.now()): TokenMemory {
  return { anonymous: createAnonymousTokens(now), standIns: createStandIns(now) };
}
