import { isIPv6 } from 'node:net';
import { putLast } from '../lib/put-last.ts';

/** How fast passwords can be guessed. */
export interface PauseRules {
  /** Wrong ones that cost nothing. */
  readonly free: number;
  /** The longest pause, in milliseconds; the first is a second, and each wrong password doubles it. */
  readonly longest: number;
}

/** An address may be that of many clients, and what they share are mistakes of one of them. */
export const BY_ADDRESS: PauseRules = { free: 10, longest: 300_000 };
/** Anybody can name a user: the longest pause is short, so that nobody is kept out by others for long. */
export const BY_USER: PauseRules = { free: 20, longest: 30_000 };

/** Pauses that wrong passwords make, each for one name. */
export interface Pauses {
  /** Milliseconds until that name may try again; 0 for at once. */
  left(name: string): number;
  failed(name: string): void;
  succeeded(name: string): void;
}

interface Failures {
  readonly count: number;
  readonly last: number;
}

const FIRST_PAUSE = 1_000;
/** Wrong passwords are forgotten after this time without another one. */
const FORGOTTEN_AFTER = 15 * 60_000;
const MAX_NAMES = 20_000;

/**
 * Keeps at most so many names; the one that failed the longest time ago goes first.
 * @param now milliseconds of a clock that nobody sets
 */
export function createPauses({ free, longest }: PauseRules, now: () => number, max = MAX_NAMES): Pauses {
  const failures = new Map<string, Failures>();

  function failuresOf(name: string): Failures | undefined {
    const found = failures.get(name);
    if (found === undefined || now() - found.last < FORGOTTEN_AFTER) return found;
    failures.delete(name);
    return undefined;
  }

  return {
    left(name) {
      const found = failuresOf(name);
      if (found === undefined || found.count < free) return 0;
      const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(found.count - free, 30), longest);
      return Math.max(0, found.last + pause - now());
    },
    failed(name) {
      const count = (failuresOf(name)?.count ?? 0) + 1;
      putLast(failures, name, { count, last: now() }, max);
    },
    succeeded: (name) => void failures.delete(name),
  };
}

/** Whoever has one address of IPv6 has a whole network of them (RFC 6177: at least a /64). */
export function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%', 1).join().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0'), ...last];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
