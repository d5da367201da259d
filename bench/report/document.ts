import { PROFILES } from './profiles.ts';
import type { FailedRow, Report, RowResult } from './result.ts';
import { figuresTable, targetsTable } from './row-tables.ts';
import { markdownTable } from './table.ts';

const HOW = `
## How it is measured

* All servers run on one machine and talk over its loopback interface; each has the same bytes, and every answer is compared
  with them before it is measured. No server logs its requests.
* **docker-registry** serves from its own storage, **docker-registry cache** is its pull-through mode, **nginx proxy_cache** has
  two workers, \`sendfile\` on, \`tcp_nopush\` off and a cache lock. All are those of Debian.
* **bare Node** is the ceiling: the least that \`node:http\` has to do for the same bytes. It answers manifests with one
  \`writeHead\` and one \`end\`, reads a small blob by one \`open\`, \`fstat\` and \`read\`, and a big one into two buffers that take
  turns. It has no router, no cache, no access control, no log and no metrics.
* The loads of P1 to P3 come from wrk on the same machine, from one thread unless two are named. A run warms up for a second; the
  servers take turns, run by run. \`CPU\` is the time that the processes of a server spent in user and kernel mode, \`RSS\` their
  peak of resident memory; what nginx's processes share counts for each of them.
* The upstream of P4 to P8 is a registry of the benchmark that sends from memory, limited to 1 Gbit/s where that is said.
* A figure is the median of all runs; ±5% says that the highest and the lowest are 10% of it apart.
`;

/** docs/benchmarks.md. */
export function renderDocument({ date, machine, settings, rows }: Report): string {
  const facts = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`);
  const flags = [settings.quick ? ' --quick' : '', settings.large ? ' --large' : '', ` --runs ${settings.runs}`];
  return `# Benchmarks

manifix beside nginx, docker-registry and the least that Node can do: same machine, same files, one run.
\`npm run bench -- --write-docs\` measures and writes this page; needed are Linux and the Debian packages nginx, wrk and
docker-registry, which it installs when it is started as root. Caches are written where \`TMPDIR\` says.

| | |
|---|---|
${facts.join('\n')}
| measured | ${date}, ${settings.runs} runs of ${settings.seconds} s |
| command | \`npm run bench --${flags.join('')} --write-docs\` |

## Targets

${markdownTable(targetsTable(rows))}
${PROFILES}${HOW}
## Figures
${rows.map(section).join('')}`;
}

function section(row: RowResult | FailedRow): string {
  const title = `\n### ${row.id}: ${row.measure}\n\n`;
  if ('failure' in row) return `${title}Could not be measured.\n`;
  const notes = row.notes.map((note) => `\n${note}\n`).join('');
  return `${title}${markdownTable(figuresTable(row))}\n${notes}`;
}
