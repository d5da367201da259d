import type { Line, ServerName } from './result.ts';

/** The middle value; the mean of the two in the middle when their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** Collects figures into lines, in the order in which server and condition are first seen. */
export function createRecorder() {
  const lines = new Map<string, { condition: string; server: ServerName; values: Record<string, number[]> }>();
  return {
    /** Takes the figures of one run, by column, without those that are no number: a load that got nothing has no latency. */
    record(condition: string, server: ServerName, figures: Readonly<Record<string, number>>): void {
      const key = `${condition}\n${server}`;
      const line = lines.get(key) ?? { condition, server, values: {} };
      lines.set(key, line);
      for (const [column, figure] of Object.entries(figures)) {
        if (!Number.isFinite(figure)) continue;
        line.values[column] ??= [];
        line.values[column].push(figure);
      }
    },
    lines: (): readonly Line[] => [...lines.values()],
  };
}

/** The median of a column for a server under a condition; NaN when there is none. */
export function medianOf(lines: readonly Line[], condition: string, server: ServerName, column: string): number {
  const line = lines.find((candidate) => candidate.condition === condition && candidate.server === server);
  return median(line?.values[column] ?? []);
}

/** The same items in a circle, from another one on for every run, so that none has the same neighbour or place each time. */
export function rotated<T>(items: readonly T[], run: number): readonly T[] {
  const first = run % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
