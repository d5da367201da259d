import { bucketOf, type ClientLimits } from '../domain/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { createSharedRate, type Flow } from '../lib/shared-rate.ts';
import { createSlots } from '../lib/slots.ts';
import { createTokenBucket, type TokenBucket } from '../lib/token-bucket.ts';

/** What is held to the rate of requests, each by itself: podman waits when a pull has to, and gives up when it gets no token. */
const COUNTED = ['requests', 'tokens'] as const;
export type Counted = (typeof COUNTED)[number];

/** What was used of some limits: by all clients of an endpoint, or by one of them. */
export interface Account {
  readonly limits: ClientLimits;
  /** Milliseconds until the next one may come; 0 when it may now. */
  wait(what: Counted): number;
  /** One came. */
  take(what: Counted): void;
  /** A flow of bytes; undefined where nothing holds it up. */
  flow(): Flow | undefined;
  /** Whether bytes may be sent at once. */
  readonly isFree: boolean;
  enterFill(signal: AbortSignal, group: string): Promise<() => void>;
  /** Takes other limits into use; what runs goes on. */
  configure(limits: ClientLimits): void;
}

export function createAccount(clock: Clock, initial: ClientLimits): Account {
  let limits = initial;
  const buckets = new Map<Counted, TokenBucket>();
  const rate = createSharedRate(clock, limits.bandwidth ?? Number.POSITIVE_INFINITY);
  const fills = createSlots(limits.fills ?? Number.POSITIVE_INFINITY);

  function sizeBuckets({ requests, burst }: ClientLimits): void {
    const size = requests && bucketOf(requests, burst);
    for (const what of COUNTED) {
      const known = buckets.get(what);
      if (size === undefined) buckets.delete(what);
      else if (known === undefined) buckets.set(what, createTokenBucket(size, clock.now));
      else known.resize(size);
    }
  }
  sizeBuckets(limits);

  return {
    get limits() {
      return limits;
    },
    wait: (what) => buckets.get(what)?.wait() ?? 0,
    take: (what) => buckets.get(what)?.take(),
    flow: () => (limits.bandwidth === undefined ? undefined : rate.flow()),
    get isFree() {
      return limits.bandwidth === undefined || rate.isFree;
    },
    enterFill: (signal, group) => fills.acquire(signal, group),
    configure(next) {
      limits = next;
      sizeBuckets(next);
      rate.setRate(next.bandwidth ?? Number.POSITIVE_INFINITY);
      fills.resize(next.fills ?? Number.POSITIVE_INFINITY);
    },
  };
}

/** A flow that is held up by both. */
export function bothFlows(first: Flow | undefined, second: Flow | undefined): Flow | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  let isOver = false;
  return {
    pass(amount) {
      const before = first.pass(amount);
      return before === undefined ? second.pass(amount) : before.then(() => (isOver ? undefined : second.pass(amount)));
    },
    end() {
      isOver = true;
      first.end();
      second.end();
    },
  };
}
