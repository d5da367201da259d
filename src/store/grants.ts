import { LRUCache } from 'lru-cache';

/** How long a caller's proven right to read a repository is believed, in milliseconds. */
const GRANT_TTL = 60_000;
const MAX_GRANTS = 50_000;

/** Remembers who lately proved to the registry that they may read which repository. In memory only: a restart asks again. */
export function createGrants(now: () => number = () => performance.now()): {
  has(upstream: string, repository: string, identity: string): boolean;
  add(upstream: string, repository: string, identity: string): void;
  /** The names may mean other registries from now on. */
  clear(): void;
} {
  // By size, because room for a number of entries is taken at once, which holds up the start by 20 ms.
  const room = { maxSize: MAX_GRANTS, sizeCalculation: () => 1 };
  const grants = new LRUCache<string, true>({ ...room, ttl: GRANT_TTL, ttlResolution: 0, perf: { now } });
  const key = (...parts: readonly string[]): string => parts.join('\n');
  return {
    has: (upstream, repository, identity) => grants.has(key(upstream, repository, identity)),
    add: (upstream, repository, identity) => void grants.set(key(upstream, repository, identity), true),
    clear: () => grants.clear(),
  };
}
