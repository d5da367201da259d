import type { DrillReport } from '../explain/drill.ts';
import type { OffenderReport } from '../explain/offenders.ts';
import { table } from './table.ts';

/** Who kept the fixes busy, for people. */
export function formatOffenders({ since, offenders, more }: OffenderReport): string {
  if (offenders.length === 0) return `nothing was repaired since ${since}`;
  const rows = offenders.map(({ count, fix, client, endpoint, repository, page }) => [
    String(count),
    fix,
    client,
    endpoint,
    repository === '' ? '-' : repository,
    page,
  ]);
  const head = ['repairs', 'fix', 'client', 'endpoint', 'repository', 'how to mend the cause'];
  const rest = more === 0 ? [] : [`${more} more; --top shows them`];
  return [`since ${since}`, '', ...table([head, ...rows]), ...rest, '', 'manifix help <fix> prints its page'].join(
    '\n',
  );
}

/** What could not be pulled without the registries, for people. */
export function formatDrill({ since, tags, failing }: DrillReport): string {
  const lines = tags.flatMap(({ reference, upstream, repository, tag, reasons }) => {
    const name = reference ?? `${repository}:${tag} of ${upstream}`;
    return reasons.length === 0
      ? [`${name}  would work`]
      : [`${name}  would fail`, ...reasons.map((reason) => `  ${reason}`)];
  });
  const verdict = `${failing} of ${tags.length} tags that were pulled since ${since} would fail without the registries`;
  return [...lines, ...(lines.length > 0 ? [''] : []), verdict].join('\n');
}
