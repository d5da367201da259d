import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface Options {
  readonly runs: number;
  /** Row ids, or undefined for all. */
  readonly only: readonly string[] | undefined;
  readonly quick: boolean;
  readonly large: boolean;
  /** Where the figures go as JSON. */
  readonly json: string;
  readonly writeDocs: boolean;
}

export const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

export const USAGE = `usage: npm run bench -- [flags]

  --runs N       take every figure N times; 5 without it, 1 with --quick
  --only P1,P3   measure these rows only
  --quick        seconds instead of precision: one run of one second
  --large        start also with 1,000,000 cached blobs
  --json FILE    write the figures to this file instead of bench/results.json
  --write-docs   write docs/benchmarks.md from this run
`;

/** Reads the arguments; a sentence when they are wrong, or the usage when they ask for it. */
export function parseOptions(
  args: readonly string[],
  rows: readonly string[],
): Options | { readonly text: string; readonly code: number } {
  const read = readFlags(args);
  if ('wrong' in read) return { text: `${read.wrong}\n\n${USAGE}`, code: 2 };
  const { help, quick = false, large = false, 'write-docs': writeDocs = false, json = RESULTS } = read;
  if (help) return { text: USAGE, code: 0 };
  const runs = Number(read.runs ?? (quick ? 1 : 5));
  if (!Number.isSafeInteger(runs) || runs < 1) return { text: `--runs needs a number of at least 1\n`, code: 2 };
  const only = read.only?.toUpperCase().split(',');
  const unknown = only?.find((id) => !rows.includes(id));
  if (unknown !== undefined) return { text: `there is no row ${unknown}: they are ${rows.join(', ')}\n`, code: 2 };
  return { runs, only, quick, large, json, writeDocs };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string' },
        only: { type: 'string' },
        quick: { type: 'boolean' },
        large: { type: 'boolean' },
        json: { type: 'string' },
        'write-docs': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // parseArgs says in its message which argument is wrong and why.
    return { wrong: (error as Error).message };
  }
}
