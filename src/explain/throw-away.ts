import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { NO_LIMITS } from '../domain/limits.ts';
import type { HostPort } from '../lib/address.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Challenges, FinishedRequest } from '../pipeline/ports.ts';
import type { GuardedClient } from '../upstream/guard.ts';

/** What a starter of the program may watch, and what it has to do before the first client. */
export interface AppHooks {
  readonly requestFinished?: (request: FinishedRequest) => void;
  /** Gets each upstream and gives what is used in its place. */
  readonly watch?: (upstream: GuardedClient) => GuardedClient;
  /** Runs before it listens. */
  readonly rehearse?: (dispatch: Dispatch, challenges: Challenges) => Promise<void>;
}

/** Puts something into a cache directory before it is used. */
export type FillCache = (directory: string) => Promise<void>;

/** Starts the whole program on a configuration; app.ts has it, and hands it in. */
export type StartApp = (
  config: Config,
  hooks: AppHooks,
) => Promise<{ readonly address: HostPort; stop(): Promise<void> }>;

/**
 * Runs a manifix of its own on loopback, with a cache that is gone afterwards and empty but for what `fill` puts into it, for
 * as long as `action` takes. It serves by the same code and configuration as the real one, but for limits, which count clients.
 */
export async function withThrowAway<T>(
  start: StartApp,
  config: Config,
  hooks: AppHooks,
  action: (address: HostPort) => Promise<T>,
  fill?: FillCache,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'manifix-'));
  const cache = join(directory, 'cache');
  try {
    await fill?.(cache);
    const app = await start(
      {
        ...config,
        // It is asked by the operator, who may see what all clients see.
        endpoints: config.endpoints.map(({ auth: _, ...endpoint }) => ({ ...endpoint, limits: NO_LIMITS })),
        listen: { host: '127.0.0.1', port: 0 },
        tls: undefined,
        admin: undefined,
        audit: undefined,
        cache: { ...config.cache, dir: cache, scrubRate: 0 },
        log: { level: 'silent', format: 'json' },
        drainTimeout: 0,
      },
      hooks,
    );
    try {
      return await action(app.address);
    } finally {
      await app.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
