import { withFallbacks } from './fallbacks.ts';
import type { ReadLimits } from './gate.ts';
import { type GuardedClient, guarded } from './guard.ts';
import { createUpstream, type UpstreamOptions } from './upstream.ts';
import { DEFAULT_TIMEOUTS } from './wire.ts';

export interface RegistryOptions extends Omit<UpstreamOptions, 'url' | 'tokensOf'> {
  /** The registry's own, and others that have the same content, in the order in which they are asked. */
  readonly urls: readonly [string, ...string[]];
  /** For each URL. */
  readonly reads?: ReadLimits | undefined;
  /** Milliseconds of a clock that nobody sets. */
  readonly now?: () => number;
}

/** The client of a registry at one or several URLs, each with a circuit breaker of its own. */
export function createRegistry({ urls, timeouts, now, reads, ...options }: RegistryOptions): GuardedClient {
  const wanted = { ...DEFAULT_TIMEOUTS, ...timeouts };
  // Whoever asks waits no longer than for one URL, also when the first ones keep silent.
  const shared = { ...wanted, connect: wanted.connect / urls.length, headers: wanted.headers / urls.length };
  const [first, ...others] = urls;
  const clientOf = (url: string) =>
    guarded(createUpstream({ ...options, url, tokensOf: first, timeouts: shared }), shared, now, reads, options.onTurn);
  if (others.length === 0) return clientOf(first);
  // What is sent by other means goes to the first one only, which then has all the time.
  return { ...withFallbacks(clientOf(first), others.map(clientOf)), timeouts: wanted };
}
