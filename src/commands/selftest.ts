import { startApp } from '../app.ts';
import type { SelftestRequest } from '../config/command-line.ts';
import type { ConfigResult } from '../config/load.ts';
import { type Outcome, runSelftest, type SelftestResult } from '../selftest/run.ts';
import { badConfiguration, type CommandOutcome } from './outcome.ts';

/** Replays the known bad cases with this configuration. Ends with 0, or with 1 when one fails. */
export async function runSelftestCommand(
  { json }: SelftestRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const loaded = await load();
  if ('mistakes' in loaded) return badConfiguration(loaded.mistakes);
  const results = await runSelftest(startApp, loaded.config);
  const passed = results.every(({ outcome }) => outcome !== 'fail' && outcome !== 'missed');
  return { exitCode: passed ? 0 : 1, text: json ? JSON.stringify({ passed, results }) : formatSelftest(results) };
}

/** A line for each fix and rule of each endpoint, and what became of all. */
function formatSelftest(results: readonly SelftestResult[]): string {
  const width = Math.max(...results.map(({ id }) => id.length));
  const endpoints = Map.groupBy(results, ({ endpoint }) => endpoint);
  const sections = [...endpoints].map(([endpoint, its]) => {
    const lines = its.map(
      ({ id, outcome, reason }) => `  ${id.padEnd(width)}  ${outcome}${reason === undefined ? '' : `: ${reason}`}`,
    );
    return [`endpoint ${endpoint}`, ...lines].join('\n');
  });
  const count = (wanted: Outcome) => results.filter(({ outcome }) => outcome === wanted).length;
  const outcomes: readonly Outcome[] = ['pass', 'fail', 'observed', 'missed', 'off', 'not tested'];
  const totals = outcomes.filter((outcome) => count(outcome) > 0).map((outcome) => `${count(outcome)} ${outcome}`);
  return [...sections, totals.join(', ')].join('\n\n');
}
