import type { Column, FailedRow, Line, RowResult } from './result.ts';
import { median } from './statistics.ts';
import type { Table } from './table.ts';

/** All figures of a row: a line per condition and server, the median of the runs and their spread. */
export function figuresTable({ columns, lines }: RowResult): Table {
  return {
    head: ['condition', 'server', ...columns.map(({ title }) => title)],
    rows: lines.map((line) => [line.condition, line.server, ...columns.map((column) => cell(line, column))]),
    words: 2,
  };
}

/** Every target of the rows with what was measured in its place. */
export function targetsTable(rows: readonly (RowResult | FailedRow)[]): Table {
  return {
    head: ['#', 'measure', 'target', 'measured', 'met'],
    rows: rows.flatMap((row) =>
      'failure' in row
        ? [[row.id, row.measure, '', 'could not be measured', 'no']]
        : row.checks.map(({ target, measured, isMet }) => [
            row.id,
            row.measure,
            target,
            measured,
            isMet ? 'yes' : 'NO',
          ]),
    ),
    words: 3,
  };
}

/** The median; with several runs also half the distance from the lowest to the highest, as a share of it. */
function cell({ values }: Line, { key, digits }: Column): string {
  const measured = values[key] ?? [];
  if (measured.length === 0) return '-';
  const middle = median(measured);
  const spread = Math.round(((Math.max(...measured) - Math.min(...measured)) / 2 / middle) * 100);
  return spread > 0 ? `${formatted(middle, digits)} ±${spread}%` : formatted(middle, digits);
}

function formatted(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
