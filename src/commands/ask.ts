import type { AskRequest } from '../config/ask-request.ts';
import type { ConfigResult } from '../config/load.ts';
import type { CacheState } from '../explain/cache-state.ts';
import type { Explanation } from '../explain/explain.ts';
import type { CommandOutcome } from './cache.ts';
import { formatExplanation, formatResolution } from './explain-report.ts';
import { askRunning } from './running-manifix.ts';

/**
 * Asks a running manifix and tells what it says. Ends with 0, with 1 when there is no good answer, or with 2 when the
 * question makes no sense.
 */
export async function runAskCommand(
  { place, json, work }: AskRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  // The Accept of skopeo names all types there are, so that a tag resolves to what it is.
  const as = work.action === 'explain' ? work.as : 'skopeo';
  const query = new URLSearchParams({ reference: work.reference, ...(as === undefined ? {} : { as }) });
  const answer = await askRunning(place, load, `/explain?${query}`);
  if ('problem' in answer) return { exitCode: answer.isUsage ? 2 : 1, complaint: `manifix: ${answer.problem}` };
  // The running manifix is this program, and its answer of this type.
  const explanation = answer.content as Explanation<CacheState>;
  if (work.action === 'explain') {
    return { exitCode: 0, text: json ? JSON.stringify(explanation) : formatExplanation(explanation, new Date()) };
  }
  const { canonical, derived } = resolved(explanation);
  if (canonical === undefined) {
    const failed = explanation.manifix.find(({ status }) => status >= 400);
    const said = failed?.error?.message ?? 'no digest';
    return { exitCode: 1, complaint: `manifix: ${work.reference}: ${failed?.status ?? ''} ${said}`.replace('  ', ' ') };
  }
  const resolution = { reference: work.reference, canonical, derived: derived ?? null };
  return { exitCode: 0, text: json ? JSON.stringify(resolution) : formatResolution(resolution) };
}

/** By digest the throw-away manifix knows no derived manifest, but the cache of the running one does. */
function resolved({ reference, digests, cache }: Explanation<CacheState>): Explanation<CacheState>['digests'] {
  const original = cache?.original ?? undefined;
  if (original !== undefined) return { canonical: original, derived: reference.replace(/^.*[@/]/, '') };
  if (digests.derived !== undefined || digests.canonical === undefined) return digests;
  const [derived] = cache?.derived ?? [];
  return derived === undefined ? digests : { ...digests, derived };
}
