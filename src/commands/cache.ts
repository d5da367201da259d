import type { CacheRequest } from '../config/cache-request.ts';
import type { ConfigResult } from '../config/load.ts';
import { formatHostPort, type HostPort } from '../lib/address.ts';
import { systemClock } from '../lib/clock.ts';
import { type AuditSettings, createAuditLog } from '../store/audit-log.ts';
import { auditedPurge } from '../store/audited-purge.ts';
import { DirectoryInUse } from '../store/lock.ts';
import { openStore, type Store } from '../store/open-store.ts';
import type { PurgeReport } from '../store/purge.ts';
import { readStatistics, requireCache } from '../store/statistics.ts';
import { formatPurge, formatStatistics, formatVerification } from './cache-report.ts';

/** What a cache command says: `text` on standard output, `complaint` on standard error. */
export interface CommandOutcome {
  readonly exitCode: 0 | 1 | 2;
  readonly text?: string;
  readonly complaint?: string;
}

interface Place {
  readonly directory: string;
  readonly audit?: AuditSettings | undefined;
  readonly admin: HostPort | undefined;
}

/**
 * Works on a cache directory that no manifix runs on; `stats` also beside one that runs. Ends with 0, with 1 when something
 * was damaged or could not be removed, or with 2 when the directory cannot be used.
 */
export async function runCacheCommand(
  { place, json, work }: CacheRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const found = await findPlace(place, load);
  if ('mistakes' in found) return { exitCode: 2, complaint: found.mistakes.join('\n') };
  const tell = <Report>(report: Report, format: (report: Report) => string) =>
    json ? JSON.stringify(report) : format(report);
  try {
    if (work.action === 'stats') return { exitCode: 0, text: tell(readStatistics(found.directory), formatStatistics) };
    requireCache(found.directory);
    return await withStore(found.directory, async (store) => {
      if (work.action === 'verify') {
        const report = await store.maintenance.verify(new AbortController().signal);
        const isSound = report.damaged + report.unreadable === 0;
        return { exitCode: isSound ? 0 : 1, text: tell(report, formatVerification) };
      }
      const report = await purgeAudited(store, work, found.audit);
      return { exitCode: report.failed === 0 ? 0 : 1, text: tell(report, formatPurge) };
    });
  } catch (error) {
    const complaint = error instanceof DirectoryInUse ? askTheOther(error, work, found) : (error as Error).message;
    return { exitCode: 2, complaint: `manifix: ${complaint}` };
  }
}

async function findPlace(
  { config, cacheDir }: CacheRequest['place'],
  load: () => Promise<ConfigResult>,
): Promise<Place | { readonly mistakes: readonly string[] }> {
  if (cacheDir !== undefined && config === undefined) return { directory: cacheDir, admin: undefined };
  const loaded = await load();
  if ('mistakes' in loaded) return loaded;
  const { cache, admin, audit } = loaded.config;
  return { directory: cache.dir, admin: admin?.listen, audit };
}

/** Opens the directory without a limit of its size, because nothing shall be evicted on the way. */
async function withStore<T>(directory: string, action: (store: Store) => Promise<T>): Promise<T> {
  // The findings are in the report.
  const store = await openStore({ directory, maxSize: Number.POSITIVE_INFINITY, warn: () => undefined });
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}

/** Has the audit log tell of the purge, where there is one. Rejects when it cannot be opened: then nothing is purged. */
async function purgeAudited(
  { maintenance }: Store,
  { selection, dryRun }: Extract<CacheRequest['work'], { action: 'purge' }>,
  audit: AuditSettings | undefined,
): Promise<PurgeReport> {
  const log = createAuditLog({ clock: systemClock, warn: (message) => process.stderr.write(`manifix: ${message}\n`) });
  await log.configure(audit);
  try {
    return await auditedPurge(maintenance, log.record, { selection, dryRun, client: 'local' });
  } finally {
    await log.close();
  }
}

function askTheOther({ message }: Error, { action }: CacheRequest['work'], { admin }: Place): string {
  const origin = admin === undefined ? 'its admin listener' : `http://${formatHostPort(admin)}`;
  return `${message} Ask that one: POST /cache/${action} to ${origin}; docs/operations.md shows how.`;
}
