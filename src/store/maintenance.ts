import type { PurgeSelection } from '../domain/purge.ts';
import type { Files } from './files.ts';
import { listUnlisted } from './housekeeping.ts';
import type { Layout } from './layout.ts';
import { type PurgeOptions, type PurgeReport, purge } from './purge.ts';
import { type CacheStatistics, readStatistics } from './statistics.ts';
import { type VerifyOptions, type VerifyReport, verify } from './verify.ts';

export interface MaintenanceOptions extends VerifyOptions, PurgeOptions {
  readonly files: Files;
  readonly layout: Layout;
  /** Settles when what an earlier process left is tidied up. */
  readonly tidied: Promise<unknown>;
  /** Settles when all that clients have whole by now is in its place. */
  readonly placed: () => Promise<void>;
}

/** What an operator can ask of the cache while it is in use. */
export interface Maintenance {
  statistics(): CacheStatistics;
  /** Hashes everything; rejects with the signal's reason when it aborts. */
  verify(signal: AbortSignal): Promise<VerifyReport>;
  /** Rejects with SQLite's error. */
  purge(selection: PurgeSelection, dryRun: boolean): Promise<PurgeReport>;
}

/** Makes the operations, and a `close` that ends those that run. */
export function createMaintenance(options: MaintenanceOptions): Maintenance & { close(): Promise<void> } {
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();

  async function track<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  }

  /** Files that somebody put there, or that a crash left out of the list, count as well. */
  async function listAll(signal: AbortSignal): Promise<void> {
    await options.tidied;
    await listUnlisted({ ...options, signal });
  }

  async function verifyAll(signal: AbortSignal): Promise<VerifyReport> {
    await options.placed();
    await listAll(signal);
    return verify(options, signal);
  }

  async function purgeSelected(selection: PurgeSelection, dryRun: boolean): Promise<PurgeReport> {
    await options.placed();
    if (selection.by === 'all') await listAll(closing.signal);
    return purge(options, selection, dryRun, closing.signal);
  }

  return {
    statistics: () => readStatistics(options.layout.directory),
    verify: (signal) => track(verifyAll(AbortSignal.any([signal, closing.signal]))),
    purge: (selection, dryRun) => track(purgeSelected(selection, dryRun)),
    async close() {
      closing.abort(new Error('manifix is shutting down'));
      await Promise.allSettled(running);
    },
  };
}
