import { hash } from 'node:crypto';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { formatRetryAfter, parseRetryAfter } from '../domain/retry-after.ts';
import { putLast } from '../lib/put-last.ts';
import { LONGEST_PAUSE } from './circuit.ts';

/** Where a registry that answers 429 is left in peace: one entry for each method and account. */
export interface Throttling {
  /** Undefined when a question may go out, else a 429 with the time that is left; after a pause one question is the probe. */
  admit(method: string, headers: HeaderList): RegistryError | undefined;
  admits(method: string, headers: HeaderList): boolean;
  /** Whether the last answer was a 429, however long ago. */
  suspects(method: string, headers: HeaderList): boolean;
  /** Notes an answer, and gives the pause that a 429 asks for, in milliseconds. */
  answered(method: string, headers: HeaderList, answer: { status: number; headers: HeaderList }): number | undefined;
  readonly isThrottled: boolean;
}

interface Throttled {
  /** When the registry wants to be asked again, as it said. */
  readonly until: number;
  /** When manifix tries at the latest: limits are lifted early, too. */
  nextAt: number;
  readonly pause: number;
}

const FIRST_PAUSE = 1_000;
/** Tokens come and go; each is an account of its own. */
const MAX_ACCOUNTS = 1_000;

/**
 * @param who the registry as the subject of a sentence
 * @param now milliseconds of a clock that nobody sets
 */
export function createThrottling(who: string, now: () => number): Throttling {
  const throttled = new Map<string, Throttled>();
  return {
    get isThrottled() {
      return throttled.values().some(({ until }) => now() < until);
    },
    admits(method, headers) {
      const entry = throttled.get(keyOf(method, headers));
      return entry === undefined || now() >= entry.nextAt;
    },
    suspects: (method, headers) => throttled.size > 0 && throttled.has(keyOf(method, headers)),
    admit(method, headers) {
      const entry = throttled.size === 0 ? undefined : throttled.get(keyOf(method, headers));
      if (entry === undefined) return undefined;
      if (now() < entry.nextAt) return refusal(who, Math.max(entry.nextAt, entry.until) - now());
      entry.nextAt = now() + entry.pause;
      return undefined;
    },
    answered(method, headers, answer) {
      const key = throttled.size === 0 && answer.status !== 429 ? '' : keyOf(method, headers);
      if (answer.status !== 429) {
        throttled.delete(key);
        return undefined;
      }
      const before = throttled.get(key);
      const asked = parseRetryAfter(headerValue(answer.headers, 'Retry-After'), Date.now());
      const wanted = Math.max(FIRST_PAUSE, asked ?? (before?.pause ?? 0) * 2);
      const pause = Math.min(LONGEST_PAUSE, wanted);
      const until = now() + (asked === undefined ? pause : wanted);
      putLast(throttled, key, { until, nextAt: now() + pause, pause }, MAX_ACCOUNTS);
      return wanted;
    },
  };
}

/** Accounts are told apart by their credentials, which are not kept. The Docker Hub counts GETs and no HEADs. */
function keyOf(method: string, headers: HeaderList): string {
  const authorization = headerValue(headers, 'Authorization');
  return authorization === undefined ? method : `${method} ${hash('sha256', authorization, 'base64url')}`;
}

function refusal(who: string, left: number): RegistryError {
  const seconds = formatRetryAfter(left);
  return new RegistryError('TOOMANYREQUESTS', {
    message: 'the registry limits the number of requests',
    explanation: `${who} answered 429 a moment ago and wants to be asked again in ${seconds} s. What is known is answered from the cache meanwhile.`,
    fix: 'rate-limit-429',
    headers: [['Retry-After', seconds]],
  });
}
