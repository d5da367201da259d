import type { ConfigResult } from '../config/load.ts';
import type { UsageRequest } from '../config/usage-request.ts';
import { dayOf, formatDay, reportUsage, type UsageQuestion, type UsageReport } from '../domain/usage.ts';
import { readUsage } from '../store/usage-records.ts';
import { type CommandOutcome, complain, type Problem } from './outcome.ts';
import { askRunning } from './running-manifix.ts';
import { formatUsage, usageAsCsv } from './usage-report.ts';

/**
 * Tells what was used: the running manifix is asked, and without one the directory of its cache is read. Ends with 0, with 1
 * when neither answers, or with 2 when the question makes no sense.
 */
export async function runUsageCommand(
  { place, question, form }: UsageRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const found = await findReport(place, question, load);
  if ('problem' in found) return complain(found);
  const { report } = found;
  if (form === 'json') return { exitCode: 0, text: JSON.stringify(report) };
  return { exitCode: 0, text: form === 'csv' ? usageAsCsv(report) : formatUsage(report) };
}

type Found = { readonly report: UsageReport } | Problem;

async function findReport(
  place: UsageRequest['place'],
  question: UsageQuestion,
  load: () => Promise<ConfigResult>,
): Promise<Found> {
  const { config, admin, cacheDir } = place;
  if (config === undefined && cacheDir !== undefined) return readDirectory(cacheDir, question);
  if (config === undefined && admin !== undefined) return askFor(place, question, load);
  const loaded = await load();
  if ('mistakes' in loaded) return { problem: loaded.mistakes.join('\n'), isUsage: true };
  const isReachable = loaded.config.admin !== undefined;
  const told = isReachable ? await askFor(place, question, async () => loaded) : undefined;
  const isTold = told !== undefined && ('report' in told || told.isUsage);
  return isTold ? told : readDirectory(loaded.config.cache.dir, question);
}

async function askFor(
  place: UsageRequest['place'],
  { since, by, endpoint }: UsageQuestion,
  load: () => Promise<ConfigResult>,
): Promise<Found> {
  const query = new URLSearchParams({ since: formatDay(since), by, ...(endpoint === undefined ? {} : { endpoint }) });
  const answer = await askRunning(place, load, `/usage?${query}`);
  // The running manifix is this program, and its answer of this type.
  return 'content' in answer ? { report: answer.content as UsageReport } : answer;
}

function readDirectory(directory: string, question: UsageQuestion): Found {
  try {
    return { report: reportUsage(readUsage(directory, question), question, dayOf(Date.now())) };
  } catch (error) {
    // A plain sentence of the store.
    return { problem: (error as Error).message, isUsage: true };
  }
}
