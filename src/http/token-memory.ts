import { type AnonymousTokens, createAnonymousTokens } from './anonymous-tokens.ts';
import { createStandIns, type StandInOptions, type StandIns } from './stand-in-tokens.ts';

/** What is known of the tokens that clients show. */
export interface TokenMemory {
  readonly anonymous: AnonymousTokens;
  readonly standIns: StandIns;
}

type TokenMemoryOptions = Partial<StandInOptions>;

export function createTokenMemory({ now = () => performance.now(), ...waiting }: TokenMemoryOptions = {}): TokenMemory {
  return { anonymous: createAnonymousTokens(now), standIns: createStandIns({ now, ...waiting }) };
}
