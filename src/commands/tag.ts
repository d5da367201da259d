import type { Config } from '../config/config.ts';
import type { ConfigResult } from '../config/load.ts';
import type { TagRequest } from '../config/tag-request.ts';
import { openEndpoints } from '../generation.ts';
import { createCursors } from '../http/cursors.ts';
import { requireCache } from '../store/statistics.ts';
import { type TagOperations, type TagReport, type ToldOfTag, tagOperations } from '../tag-operations.ts';
import { withAudit, withStore } from './cache-directory.ts';
import { type CommandOutcome, complain } from './outcome.ts';
import { type AdminAnswer, askRunning, onDirectory } from './running-manifix.ts';
import { formatTag } from './tag-report.ts';

/** The operator of the machine. */
const CLIENT = 'local';

/**
 * Shows and pins tags: in the cache directory of a configuration, or by the manifix that runs on it, where it takes effect at once.
 * Ends with 0, with 1 when nobody answers, or with 2 when something is wrong with the question or the place.
 */
export async function runTagCommand(
  { place, json, reference, work }: TagRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const answer = await carryOut(place, reference, work, load);
  if ('problem' in answer) return complain(answer);
  // The running manifix is this program, and its answer of this type.
  const told = answer.content as TagReport;
  return { exitCode: 0, text: json ? JSON.stringify(told) : formatTag(told) };
}

async function carryOut(
  place: TagRequest['place'],
  reference: string,
  work: TagRequest['work'],
  load: () => Promise<ConfigResult>,
): Promise<AdminAnswer> {
  if (place.admin !== undefined) return askFor(place, reference, work, load);
  const loaded = await load();
  if ('mistakes' in loaded) return { problem: loaded.mistakes.join('\n'), isUsage: true };
  const { config } = loaded;
  return onDirectory(
    async () => {
      requireCache(config.cache.dir);
      const outcome = await withTags(config, (tags) => workOn(tags, reference, work));
      return 'wrong' in outcome ? { problem: outcome.wrong, isUsage: true } : { content: outcome.told };
    },
    config.admin && (() => askFor(place, reference, work, load)),
  );
}

/** Opens a directory on which no manifix runs. */
function withTags<T>(config: Config, action: (tags: TagOperations) => T): Promise<T> {
  return withStore(config.cache.dir, (store) =>
    withAudit(config.audit, async (audit) => {
      const { endpoints, upstreams } = openEndpoints(config);
      const edge = { endpoints, cursors: createCursors() };
      try {
        const { tagHistory: history, pins } = store;
        return action(tagOperations({ config: () => config, edge: () => edge, history, pins, now: Date.now, audit }));
      } finally {
        await Promise.all(upstreams.map((upstream) => upstream.close()));
      }
    }),
  );
}

function workOn(tags: TagOperations, reference: string, work: TagRequest['work']): ToldOfTag {
  switch (work.action) {
    case 'history':
      return tags.history(reference);
    case 'pin':
      return tags.pin(reference, work.digest, work.note, CLIENT);
    case 'unpin':
      return tags.unpin(reference, CLIENT);
    case 'rollback':
      return tags.rollback(reference, work.to, CLIENT);
  }
}

function askFor(
  place: TagRequest['place'],
  reference: string,
  work: TagRequest['work'],
  load: () => Promise<ConfigResult>,
): Promise<AdminAnswer> {
  if (work.action === 'history') {
    return askRunning(place, load, `/tags/history?reference=${encodeURIComponent(reference)}`);
  }
  const { action, ...rest } = work;
  return askRunning(place, load, `/tags/${action}`, { reference, ...rest });
}
