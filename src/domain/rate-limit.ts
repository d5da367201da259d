import { type HeaderList, headerValues } from './headers.ts';

/** How many requests a registry says that it still answers; times in milliseconds. */
export interface RateLimit {
  /** More than 0. */
  readonly limit: number;
  /** At most `limit`. */
  readonly remaining: number;
  /** For how long a request counts, where that was said. */
  readonly window?: number;
  /** Until all of `limit` is there again, where that was said. */
  readonly reset?: number;
}

/** A reset from this number on is a time since the epoch, as GitLab sends it, and not a number of seconds. */
const EPOCH_SECONDS = 1_000_000_000;

/**
 * Reads the fields of draft-ietf-httpapi-ratelimit-headers in the forms that registries send: `RateLimit-Limit`, `-Remaining`
 * and `-Reset`, also with the window `;w=` that the Docker Hub adds to each, and `RateLimit: limit=, remaining=, reset=`.
 * Undefined when limit or remaining is absent or malformed; a malformed window or reset is as if it were absent.
 * @param now milliseconds since the epoch
 */
export function parseRateLimit(headers: HeaderList, now: number): RateLimit | undefined {
  const fields = fieldsOf(headers);
  const limit = numberOf(fields.limit);
  const remaining = numberOf(fields.remaining);
  if (limit === undefined || limit === 0 || remaining === undefined) return undefined;
  const window = windowOf(fields.limit);
  const reset = numberOf(fields.reset);
  return {
    limit,
    remaining: Math.min(limit, remaining),
    ...(window === undefined || window === 0 ? {} : { window: window * 1_000 }),
    ...(reset === undefined ? {} : { reset: untilReset(reset, now) }),
  };
}

function fieldsOf(headers: HeaderList): Record<'limit' | 'remaining' | 'reset', string> {
  const field = (name: string) => headerValues(headers, name)[0] ?? '';
  const combined = field('RateLimit');
  if (combined === '') {
    return {
      limit: field('RateLimit-Limit'),
      remaining: field('RateLimit-Remaining'),
      reset: field('RateLimit-Reset'),
    };
  }
  const member = (name: string) => new RegExp(`(?:^|,)\\s*${name}=(\\d+)\\s*(?:,|$)`, 'i').exec(combined)?.[1] ?? '';
  return { limit: member('limit'), remaining: member('remaining'), reset: member('reset') };
}

/** The first item of a list, which is the one that counts; its parameters and the policies behind it follow. */
function numberOf(value: string): number | undefined {
  return matchedNumber(/^\s*(\d{1,10})\s*(?:[;,].*)?$/, value);
}

function windowOf(value: string): number | undefined {
  return matchedNumber(/;\s*w=(\d{1,9})\s*(?:[;,]|$)/, value);
}

function matchedNumber(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function untilReset(reset: number, now: number): number {
  return reset < EPOCH_SECONDS ? reset * 1_000 : Math.max(0, reset * 1_000 - now);
}

/** Where a registry does not say when requests are allowed again, in milliseconds. */
const UNKNOWN_WINDOW = 3_600_000;
/** No statement is believed for longer, in milliseconds. */
const LONGEST = 86_400_000;

/**
 * The part of the budget that is left some time after the registry stated it, from 0 to 1: what was stated until the reset, and
 * all of it after that. Where no reset is stated, as by the Docker Hub, it is taken to come back evenly within the window, so
 * that a registry is asked again even when nothing else tells that it may be.
 * @param elapsed milliseconds since the statement
 */
export function shareLeft({ limit, remaining, window, reset }: RateLimit, elapsed: number): number {
  const stated = remaining / limit;
  if (reset !== undefined) return elapsed < Math.min(reset, LONGEST) ? stated : 1;
  return Math.min(1, stated + elapsed / Math.min(window ?? UNKNOWN_WINDOW, LONGEST));
}
