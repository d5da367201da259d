const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const TIME_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** In milliseconds. */
export const DAY = TIME_UNITS.d;

/** Reads a size such as `64MiB` (units B, KiB, MiB, GiB, TiB) as bytes; undefined when it is not one. */
export function parseSize(text: string): number | undefined {
  return parseAmount(text, SIZE_UNITS);
}

/** Reads a time such as `500ms` or `7d` (units ms, s, m, h, d) as milliseconds; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  return parseAmount(text, TIME_UNITS);
}

/** Writes bytes in the largest unit that keeps the number whole: 1536 is `1536B`, 2048 is `2KiB`. */
export function formatSize(bytes: number): string {
  return formatAmount(bytes, SIZE_UNITS);
}

/** Writes milliseconds in the largest unit that keeps the number whole, but never in days below one: `60s` is `1m`. */
export function formatDuration(milliseconds: number): string {
  return formatAmount(milliseconds, TIME_UNITS);
}

/** Writes bytes for people, with at most one decimal: 1536 is `1.5 KiB`. */
export function describeSize(bytes: number): string {
  const [unit, factor] = Object.entries(SIZE_UNITS).findLast(([, size]) => bytes >= size) ?? ['B', 1];
  return `${(bytes / factor).toLocaleString('en', { maximumFractionDigits: 1 })} ${unit}`;
}

function parseAmount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(?<amount>\d+(?:\.\d+)?)(?<unit>[A-Za-z]+)$/.exec(text);
  const factor = units[match?.groups?.unit ?? ''];
  if (factor === undefined) return undefined;
  const value = Math.round(Number(match?.groups?.amount) * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatAmount(value: number, units: Readonly<Record<string, number>>): string {
  const ascending = Object.entries(units);
  const [unit, factor] = ascending.findLast(([, size]) => value >= size && value % size === 0) ?? ['', 1];
  return unit === '' ? `0${ascending[0]?.[0] ?? ''}` : `${value / factor}${unit}`;
}
