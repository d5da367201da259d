import { bucketOf, type ClientLimits } from '../domain/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { createSharedRate, type Flow } from '../lib/shared-rate.ts';
import { createSlots } from '../lib/slots.ts';
import { createTokenBucket } from '../lib/token-bucket.ts';

/** What was used of some limits: by all clients of an endpoint, or by one of them. */
export interface Account {
  readonly limits: ClientLimits;
  /** Milliseconds until the next request may come; 0 when it may now. */
  wait(): number;
  /** A request came. */
  take(): void;
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
  let bucket = bucketFor(limits);
  const rate = createSharedRate(clock, limits.bandwidth ?? Number.POSITIVE_INFINITY);
  const fills = createSlots(limits.fills ?? Number.POSITIVE_INFINITY);

  function bucketFor({ requests, burst }: ClientLimits) {
    return requests && createTokenBucket(bucketOf(requests, burst), clock.now);
  }

  return {
    get limits() {
      return limits;
    },
    wait: () => bucket?.wait() ?? 0,
    take: () => bucket?.take(),
    flow: () => (limits.bandwidth === undefined ? undefined : rate.flow()),
    get isFree() {
      return limits.bandwidth === undefined || rate.isFree;
    },
    enterFill: (signal, group) => fills.acquire(signal, group),
    configure(next) {
      limits = next;
      if (bucket === undefined || next.requests === undefined) bucket = bucketFor(next);
      else bucket.resize(bucketOf(next.requests, next.burst));
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
