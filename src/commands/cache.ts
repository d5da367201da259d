import type { CacheRequest } from '../config/cache-request.ts';
import type { ConfigResult } from '../config/load.ts';
import { formatHostPort } from '../lib/address.ts';
import { auditedPurge } from '../store/audited-purge.ts';
import { DirectoryInUse } from '../store/lock.ts';
import { readStatistics, requireCache } from '../store/statistics.ts';
import { type CachePlace, findPlace, withAudit, withStore } from './cache-directory.ts';
import { formatPurge, formatStatistics, formatVerification } from './cache-report.ts';
import { badConfiguration, type CommandOutcome, complain } from './outcome.ts';

/**
 * Works on a cache directory that no manifix runs on; `stats` also beside one that runs. Ends with 0, with 1 when something
 * was damaged or could not be removed, or with 2 when the directory cannot be used.
 */
export async function runCacheCommand(
  { place, json, work }: CacheRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const found = await findPlace(place, load);
  if ('mistakes' in found) return badConfiguration(found.mistakes);
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
      const { selection, dryRun } = work;
      const report = await withAudit(found.audit, (record) =>
        auditedPurge(store.maintenance, record, { selection, dryRun, client: 'local' }),
      );
      return { exitCode: report.failed === 0 ? 0 : 1, text: tell(report, formatPurge) };
    });
  } catch (error) {
    const problem = error instanceof DirectoryInUse ? askTheOther(error, work, found) : (error as Error).message;
    return complain({ problem, isUsage: true });
  }
}

function askTheOther({ message }: Error, { action }: CacheRequest['work'], { admin }: CachePlace): string {
  const origin = admin === undefined ? 'its admin listener' : `http://${formatHostPort(admin)}`;
  return `${message} Ask that one: POST /cache/${action} to ${origin}; docs/operations.md shows how.`;
}
