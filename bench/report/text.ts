import type { FailedRow, Report, RowResult } from './result.ts';
import { figuresTable, targetsTable } from './row-tables.ts';
import { plainTable } from './table.ts';

/** A row for the terminal, as soon as it was measured. */
export function rowText(row: RowResult | FailedRow): string {
  const title = `${row.id}  ${row.measure}`;
  if ('failure' in row) return `${title}\n\ncould not be measured: ${row.failure}\n`;
  const notes = row.notes.map((note) => `${note}\n`).join('');
  return `${title}\n\n${plainTable(figuresTable(row))}\n${notes}`;
}

/** The machine and all targets, for the end of the run. */
export function summaryText({ machine, rows }: Report): string {
  const facts = Object.entries(machine).map(([name, value]) => `${name} ${value}`);
  return `${facts.join('; ')}\n\n${plainTable(targetsTable(rows))}\n`;
}
