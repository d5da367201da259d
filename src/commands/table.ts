/**
 * Columns two blanks apart. A row of one cell is a sentence of its own and widens nothing.
 * @param endsRight which columns end at the right, as numbers do
 */
export function table(
  rows: readonly (readonly string[])[],
  endsRight: (column: number) => boolean = () => false,
): readonly string[] {
  const several = rows.filter((row) => row.length > 1);
  const widthOf = (column: number) => Math.max(...several.map((row) => (row[column] ?? '').length));
  const widths = (several[0] ?? []).map((_, column) => widthOf(column));
  const padded = (cell: string, column: number) =>
    endsRight(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => (row.length > 1 ? row.map(padded) : row).join('  ').trimEnd());
}
