import type { RegistryError } from '../domain/errors.ts';
import type { EndpointLimits } from '../domain/limits.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { putLast } from '../lib/put-last.ts';
import type { Flow } from '../lib/shared-rate.ts';
import type { Allowance, Limiter } from '../pipeline/ports-limits.ts';
import { enterFill } from './fill-places.ts';
import { type Account, bothFlows, type Counted, createAccount } from './limit-account.ts';
import { tooManyFills, tooManyRequests, uploadTooLarge, type Whose } from './limit-errors.ts';

/** Requests that a limit refused since the start. */
export interface LimitedRequests {
  readonly endpoint: string;
  readonly limit: string;
  readonly count: number;
}

/** The limits of all endpoints. What was used of them outlives a reload. */
export interface Limits {
  /** Takes the limits of an endpoint into use; undefined when it has none. */
  of(endpoint: string, limits: EndpointLimits): Limiter | undefined;
  limited(): readonly LimitedRequests[];
}

export function createLimits(clock: Clock = systemClock): Limits {
  const limiters = new Map<string, ConfigurableLimiter>();
  return {
    of(endpoint, limits) {
      const known = limiters.get(endpoint);
      known?.configure(limits);
      if (!limitsAnything(limits)) return undefined;
      const limiter = known ?? createLimiter(endpoint, limits, clock);
      limiters.set(endpoint, limiter);
      return limiter;
    },
    limited: () => [...limiters.values()].flatMap((limiter) => limiter.limited()),
  };
}

/** A quota is the store's business. */
function limitsAnything({ quota: _, perUser, ...rest }: EndpointLimits): boolean {
  return [...Object.values(rest), ...Object.values(perUser)].some((limit) => limit !== undefined);
}

interface ConfigurableLimiter extends Limiter {
  configure(limits: EndpointLimits): void;
  limited(): readonly LimitedRequests[];
}

/** Clients whose use is remembered for each endpoint; whoever was not seen for the longest time begins anew. */
const MAX_CLIENTS = 10_000;

function createLimiter(endpoint: string, initial: EndpointLimits, clock: Clock): ConfigurableLimiter {
  let limits = initial;
  const own = createAccount(clock, limits);
  const accounts = new Map<string, Account>();
  const counts = new Map<string, number>();

  function accountOf(client: string): Account | undefined {
    if (!Object.values(limits.perUser).some((limit) => limit !== undefined)) return undefined;
    const account = accounts.get(client) ?? createAccount(clock, limits.perUser);
    putLast(accounts, client, account, MAX_CLIENTS);
    return account;
  }

  function refused(limit: string, error: RegistryError): RegistryError {
    counts.set(limit, (counts.get(limit) ?? 0) + 1);
    return error;
  }

  function overRate(what: Counted, whose: Whose, account: Account | undefined): RegistryError | undefined {
    const wait = account?.wait(what) ?? 0;
    const rate = account?.limits.requests;
    if (wait === 0 || rate === undefined) return undefined;
    return refused(nameOf(whose, 'requests'), tooManyRequests(endpoint, whose, rate, wait));
  }

  function admit(what: Counted, user: Account | undefined): RegistryError | undefined {
    const refusal = overRate(what, 'user', user) ?? overRate(what, 'endpoint', own);
    if (refusal !== undefined) return refusal;
    own.take(what);
    user?.take(what);
    return undefined;
  }

  function tooLate(whose: Whose): RegistryError {
    const { fills = 0 } = whose === 'user' ? limits.perUser : limits;
    return refused(nameOf(whose, 'fills'), tooManyFills(endpoint, whose, fills));
  }

  function allowance(client: string): Allowance {
    const user = accountOf(client);
    return {
      upload: limits.upload,
      uploadTooLarge: (received, announced) =>
        refused('upload', uploadTooLarge(endpoint, limits.upload ?? 0, received, announced)),
      enterFill: (signal) => enterFill(clock, { client, user, endpoint: own }, signal, tooLate),
      pace: () => bothFlows(user?.flow(), own.flow()),
    };
  }

  return {
    admit: (client) => admit('requests', accountOf(client)),
    admitToken: (client) => admit('tokens', accountOf(client)),
    admitReady(client, bytes) {
      const user = accountOf(client);
      const isFree = (account: Account) => account.wait('requests') === 0 && account.isFree;
      if (!isFree(own) || (user !== undefined && !isFree(user))) return false;
      own.take('requests');
      user?.take('requests');
      spend(own.flow(), bytes);
      spend(user?.flow(), bytes);
      return true;
    },
    allowance,
    configure(next) {
      limits = next;
      own.configure(next);
      for (const account of accounts.values()) account.configure(next.perUser);
    },
    limited: () => [...counts].map(([limit, count]) => ({ endpoint, limit, count })),
  };
}

/** It passes at once: whoever asks knows that the rate is free. */
function spend(flow: Flow | undefined, bytes: number): void {
  void flow?.pass(bytes);
}

function nameOf(whose: Whose, limit: string): string {
  return whose === 'user' ? `perUser.${limit}` : limit;
}
