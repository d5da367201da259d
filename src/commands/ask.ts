import type { AskRequest } from '../config/ask-request.ts';
import type { ConfigResult } from '../config/load.ts';
import type { DrillReport } from '../explain/drill.ts';
import type { Explanation } from '../explain/explain.ts';
import type { OffenderReport } from '../explain/offenders.ts';
import { formatExplanation, formatResolution } from './explain-report.ts';
import { type CommandOutcome, complain } from './outcome.ts';
import { formatDrill, formatOffenders } from './report.ts';
import { askRunning } from './running-manifix.ts';
import { edgeAddress, warmThrough } from './warm.ts';
import type { WarmResult } from './warm-images.ts';

/**
 * Asks a running manifix and tells what it says. Ends with 0, with 1 when there is no good answer, or with 2 when the
 * question makes no sense.
 */
export async function runAskCommand(
  { place, json, work }: AskRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const ask = async <T>(path: string, tell: (content: T) => CommandOutcome | Promise<CommandOutcome>) => {
    const answer = await askRunning(place, load, path);
    if ('problem' in answer) return complain(answer);
    // The running manifix is this program, and its answer of this type.
    return tell(answer.content as T);
  };
  const shown = <T>(content: T, format: (content: T) => string) => (json ? JSON.stringify(content) : format(content));
  switch (work.action) {
    case 'explain': {
      const query = new URLSearchParams({ reference: work.reference, ...(work.as && { as: work.as }) });
      const format = (content: Explanation) => formatExplanation(content, new Date());
      return ask<Explanation>(`/explain?${query}`, (content) => ({
        exitCode: 0,
        text: shown(content, format),
      }));
    }
    case 'resolve': {
      // The Accept of skopeo names all types there are, so that a tag resolves to what it is.
      const query = new URLSearchParams({ reference: work.reference, as: 'skopeo' });
      return ask<Explanation>(`/explain?${query}`, (content) => resolution(content, json));
    }
    case 'report':
      return ask<OffenderReport>(`/report?top=${work.top}`, (content) => ({
        exitCode: 0,
        text: shown(content, formatOffenders),
      }));
    case 'drill': {
      const path = `/drill?since=${encodeURIComponent(work.since)}`;
      const verdict = (content: DrillReport): CommandOutcome => ({
        exitCode: content.failing === 0 ? 0 : 1,
        text: shown(content, formatDrill),
      });
      const { fill } = work;
      if (fill === undefined) return ask<DrillReport>(path, verdict);
      return ask<DrillReport>(path, async (before) => {
        const filled = await fillGaps(before, fill.listen, load);
        if ('problem' in filled) return { exitCode: 2, complaint: filled.problem };
        return withFailures(await ask<DrillReport>(path, verdict), filled.results);
      });
    }
  }
}

/** Pulls what would fail, in the platforms that were pulled before, through the running manifix. */
async function fillGaps(
  { tags }: DrillReport,
  listen: string | undefined,
  load: () => Promise<ConfigResult>,
): Promise<{ readonly results: readonly WarmResult[] } | { readonly problem: string }> {
  const loaded = listen === undefined ? await load() : undefined;
  if (loaded !== undefined && 'mistakes' in loaded) return { problem: loaded.mistakes.join('\n') };
  const address = edgeAddress(listen, loaded?.config);
  if (address === undefined) return { problem: 'manifix: name the address of clients with --listen' };
  const wanted = tags.flatMap(({ reference, reasons, content }) => {
    if (reference === null || reasons.length === 0) return [];
    const pulled = (content?.images ?? []).filter(({ state }) => state !== 'never-pulled');
    return [{ reference, platforms: pulled.flatMap(({ platform }) => platform ?? []) }];
  });
  return { results: await warmThrough(address, wanted, true) };
}

/** Adds what could not be pulled, and why. */
function withFailures(outcome: CommandOutcome, results: readonly WarmResult[]): CommandOutcome {
  const failures = results.flatMap(({ reference, failures }) => failures.map((why) => `manifix: ${reference}: ${why}`));
  if (failures.length === 0) return outcome;
  const complaint = [...failures, ...(outcome.complaint === undefined ? [] : [outcome.complaint])].join('\n');
  return { ...outcome, exitCode: outcome.exitCode === 0 ? 1 : outcome.exitCode, complaint };
}

function resolution(explanation: Explanation, json: boolean): CommandOutcome {
  const { reference } = explanation;
  const { canonical, derived } = explanation.digests;
  if (canonical === undefined) {
    const failed = explanation.manifix.find(({ status }) => status >= 400);
    const said = failed === undefined ? 'no digest' : `${failed.status} ${failed.error?.message ?? ''}`.trimEnd();
    return { exitCode: 1, complaint: `manifix: ${reference}: ${said}` };
  }
  const found = { reference, canonical, derived: derived ?? null };
  return { exitCode: 0, text: json ? JSON.stringify(found) : formatResolution(found) };
}
