import { availableParallelism } from 'node:os';
import { compare } from 'bcrypt';
import type { PasswordUsers } from '../domain/authentication.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { singleFlight } from '../lib/single-flight.ts';
import { createSlots } from '../lib/slots.ts';
import { BY_ADDRESS, BY_USER, createPauses, networkOf } from './pauses.ts';
import { createProven } from './proven.ts';

/** A name and a password that a client shows, and where it is. */
export interface Attempt {
  readonly user: string;
  readonly password: string;
  readonly address: string;
}

/** `pause`: nothing was checked, and nothing will be for so many milliseconds. */
export type PasswordOutcome = 'right' | 'wrong' | { readonly pause: number };

/** Checks passwords, and slows down whoever guesses them. */
export interface Passwords {
  /** @param file what the users belong to: a name means another user elsewhere */
  check(file: string, users: PasswordUsers, attempt: Attempt): Promise<PasswordOutcome>;
}

export interface PasswordOptions {
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** Whether a password belongs to a hash; takes a processor for a moment. */
  readonly isRight?: (password: string, hash: string) => Promise<boolean>;
  /** Calls back after so many milliseconds. */
  readonly after?: Clock['after'];
  /** How many passwords are checked at one time. */
  readonly atOnce?: number;
}

/** bcrypt keeps a processor busy, and a thread of the pool that reads files: few at once leave room for pulls. */
const AT_ONCE = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 4)));
/** Whoever waits costs memory. */
const [MAX_WAITING, MAX_WAITING_AT_ADDRESS] = [128, 64];
const BUSY_PAUSE = 2_000;
/** After a wrong password its place rests for so many times as long as it worked, so that guesses from everywhere slow no pull. */
const REST = 5;
const LONGEST_REST = 1_000;

/**
 * One place decides for all endpoints, because guesses are counted together. Who proved the same password within the last day
 * neither pauses nor waits behind those who did not: nobody can lock out a client that is logged in.
 */
export function createPasswords({
  now,
  isRight = isPasswordOf,
  after = systemClock.after,
  atOnce = AT_ONCE,
}: PasswordOptions): Passwords {
  const [proven, refuted] = [createProven(now), createProven(now)];
  const pauses = { address: createPauses(BY_ADDRESS, now), user: createPauses(BY_USER, now) };
  const running = singleFlight<PasswordOutcome>();
  const turns = createKeyedQueue<string>();
  const places = { known: createSlots(atOnce), unknown: createSlots(atOnce) };
  const waiting = createWaiting();

  async function compute(kind: keyof typeof places, password: string, hash: string): Promise<boolean> {
    const free = await places[kind].acquire();
    const began = now();
    let matches = false;
    try {
      matches = await isRight(password, hash);
      return matches;
    } finally {
      const rest = matches || kind === 'known' ? 0 : Math.min(REST * (now() - began), LONGEST_REST);
      if (rest > 0) after(rest, free);
      else free();
    }
  }

  /** One guess after the other from an address: all but the first few then find that it has to pause. */
  function guess(names: Names, password: string, hash: string | undefined, users: PasswordUsers) {
    const { seal, tried, network, account } = names;
    const left = () => Math.max(pauses.address.left(network), pauses.user.left(account));
    return turns.run(network, async (): Promise<PasswordOutcome> => {
      const pause = left();
      if (pause > 0) return { pause };
      const matches = await compute('unknown', password, hash ?? standIn(users, proven.seal(account)));
      if (hash !== undefined && matches) {
        proven.add(seal, hash);
        pauses.address.succeeded(network);
        pauses.user.succeeded(account);
        return 'right';
      }
      refuted.add(seal, hash ?? '');
      if (refuted.when(tried, '') === undefined) pauses.address.failed(network);
      refuted.add(tried, '');
      pauses.user.failed(account);
      return 'wrong';
    });
  }

  return {
    async check(file, users, { user, password, address }) {
      const hash = users.get(user);
      const seal = proven.seal(file, user, password);
      const network = networkOf(address);
      const tried = proven.seal('tried', network, user, password);
      const names = { seal, tried, network, account: JSON.stringify([file, user]) };
      const when = hash === undefined ? undefined : proven.when(seal, hash);
      if (when === 'now') return 'right';
      if (when === 'lately' && hash !== undefined) {
        return running(seal, async () => {
          if (!(await compute('known', password, hash))) return 'wrong';
          proven.add(seal, hash);
          return 'right';
        });
      }
      const pause = Math.max(pauses.address.left(names.network), pauses.user.left(names.account));
      if (pause > 0) return { pause };
      // A client that repeats a wrong password guesses nothing.
      if (refuted.when(seal, hash ?? '') !== undefined) return 'wrong';
      return running(seal, async () => {
        const leave = waiting.enter(names.network);
        if (leave === undefined) return { pause: BUSY_PAUSE };
        return guess(names, password, hash, users).finally(leave);
      });
    },
  };
}

interface Names {
  readonly seal: string;
  /** The same for all files: a login that names no repository is tried at those of several teams, and is one guess of its address. */
  readonly tried: string;
  readonly network: string;
  readonly account: string;
}

/** Counts those who wait, so that they are not too many. */
function createWaiting() {
  const byAddress = new Map<string, number>();
  let all = 0;
  return {
    /** The function that ends the waiting; undefined when there is no room. */
    enter(network: string): (() => void) | undefined {
      const here = byAddress.get(network) ?? 0;
      if (all >= MAX_WAITING || here >= MAX_WAITING_AT_ADDRESS) return undefined;
      all += 1;
      byAddress.set(network, here + 1);
      return () => {
        all -= 1;
        const left = (byAddress.get(network) ?? 1) - 1;
        if (left === 0) byAddress.delete(network);
        else byAddress.set(network, left);
      };
    },
  };
}

/** bcrypt takes no more of a password. */
const MAX_PASSWORD = 72;

function isPasswordOf(password: string, hash: string): Promise<boolean> {
  // 2a, 2b and 2y differ in mistakes of old programs with longer passwords; the library knows 2y under the name of 2b.
  return compare(Buffer.from(password).subarray(0, MAX_PASSWORD), hash.replace(/^\$2[aby]\$/, '$2b$'));
}

/**
 * A hash of nobody for a user that does not exist: it costs what that of another user costs, always the same for one name.
 * @param name sealed, so that nobody can tell beforehand what it will cost
 */
function standIn(users: PasswordUsers, name: string): string {
  const hashes = [...users.values()];
  const chosen = hashes[Buffer.from(name, 'base64url').readUInt32BE() % Math.max(1, hashes.length)];
  const cost = chosen?.slice(4, 6) ?? '10';
  return `$2b$${cost}$${'.'.repeat(53)}`;
}
