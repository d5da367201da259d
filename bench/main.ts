import { writeFileSync } from 'node:fs';
import { type Options, parseOptions } from './options.ts';
import { installPrograms } from './packages.ts';
import { describeMachine } from './report/machine.ts';
import type { FailedRow, Report, RowResult } from './report/result.ts';
import { rowText, summaryText } from './report/text.ts';
import { ROWS, type Row } from './rows/index.ts';
import { writeDocs } from './write-docs.ts';

/** What a shell reports of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

const SECONDS = { quick: 1, full: 5 };

const options = parseOptions(
  process.argv.slice(2),
  ROWS.map(({ id }) => id),
);
process.exit('text' in options ? explain(options) : await bench(options));

function explain({ text, code }: { readonly text: string; readonly code: number }): number {
  process.stderr.write(text);
  return code;
}

/** Measures, prints and writes. Resolves to the exit code: 0 when every row could be measured, whatever the figures say. */
async function bench(options: Options): Promise<number> {
  const interrupted = Promise.withResolvers<never>();
  const interrupt = () => interrupted.reject(new Error('interrupted'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  try {
    await installPrograms(progress);
    const rows: (RowResult | FailedRow)[] = [];
    for (const row of ROWS.filter(({ id }) => options.only?.includes(id) ?? true)) {
      const result = await measure(row, options, interrupted.promise);
      if (result === 'interrupted') return INTERRUPTED;
      process.stdout.write(`${rowText(result)}\n`);
      rows.push(result);
    }
    publish(options, await createReport(options, rows));
    return rows.some((row) => 'failure' in row) ? 1 : 0;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return 1;
  }
}

async function measure(
  row: Row,
  { runs, quick, large }: Options,
  interrupted: Promise<never>,
): Promise<RowResult | FailedRow | 'interrupted'> {
  const { id, measure } = row;
  await using stage = new AsyncDisposableStack();
  const seconds = quick ? SECONDS.quick : SECONDS.full;
  const context = { stage, runs, seconds, isQuick: quick, isLarge: large };
  const running = row.run({ ...context, progress: (text) => progress(`${id}: ${text}`) });
  const outcome = await Promise.race([settled(running), settled(interrupted)]);
  if ('value' in outcome) return { id, measure, ...outcome.value };
  return outcome.error.message === 'interrupted' ? 'interrupted' : { id, measure, failure: describe(outcome.error) };
}

type Outcome<T> = { readonly value: T } | { readonly error: Error };

async function settled<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: error as Error };
  }
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function createReport({ runs, quick, large }: Options, rows: Report['rows']): Promise<Report> {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    settings: { runs, seconds: quick ? SECONDS.quick : SECONDS.full, quick, large },
    rows,
  };
}

function publish({ json, writeDocs: isDocumented }: Options, report: Report): void {
  process.stdout.write(summaryText(report));
  writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (isDocumented) writeDocs(report);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
