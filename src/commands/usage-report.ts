import type { UsageFigures, UsageLine, UsageReport } from '../domain/usage.ts';
import { describeSize } from '../lib/units.ts';
import { table } from './table.ts';

const LINES_SHOWN = 30;

/** What was used, as a table for people; the bars compare the bytes that were sent. */
export function formatUsage(report: UsageReport): string {
  const { since, until, by, lines, total } = report;
  const span = `${since} to ${until}, days in UTC`;
  if (lines.length === 0) return `nothing was used from ${span}`;
  // Days are few, and the last ones are the ones that matter.
  const shown = by === 'day' ? lines : lines.slice(0, LINES_SHOWN);
  const largest = Math.max(...shown.map(({ bytes }) => bytes));
  // What went to a registry is booked on no user.
  const columns = by === 'user' ? COLUMNS.slice(0, 4) : COLUMNS;
  const cells = (figures: UsageFigures) => columns.map(([, cell]) => cell(figures));
  const rows = shown.map((line) => [line.endpoint || '-', nameOf(line), ...cells(line), bar(line.bytes, largest)]);
  const head = ['endpoint', by, ...columns.map(([title]) => title), ''];
  // Names and bars begin at the left, numbers end at the right.
  const isNumber = (column: number) => column >= 2 && column < head.length - 1;
  const rest = lines.length - shown.length;
  return [
    span,
    '',
    ...table([head, ...rows, ['total', '', ...cells(total), '']], isNumber),
    ...(rest === 0 ? [] : ['', `${rest} more; --json and --csv have all`]),
  ].join('\n');
}

function nameOf({ name }: UsageLine): string {
  return name === '' ? '-' : name;
}

const COLUMNS: readonly (readonly [title: string, cell: (figures: UsageFigures) => string])[] = [
  ['requests', ({ requests }) => requests.toLocaleString('en')],
  ['sent', ({ bytes }) => describeSize(bytes)],
  ['hits', ({ hits, requests }) => share(hits, requests)],
  ['saved', ({ savedBytes }) => describeSize(savedBytes)],
  ['to registry', ({ upstreamRequests }) => upstreamRequests.toLocaleString('en')],
  ['registry bytes', ({ upstreamBytes }) => describeSize(upstreamBytes)],
];

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${Math.floor((part / whole) * 100)}%`;
}

const BAR_WIDTH = 20;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar that is full for the largest, in steps of an eighth of a character. */
function bar(value: number, largest: number): string {
  const eighths = largest === 0 ? 0 : Math.ceil((value / largest) * BAR_WIDTH * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** All lines for spreadsheets and scripts (RFC 4180), without a total. */
export function usageAsCsv({ by, lines }: UsageReport): string {
  const head = ['endpoint', by, 'requests', 'bytes', 'hits', 'saved_bytes', 'upstream_requests', 'upstream_bytes'];
  const rows = lines.map(({ endpoint, name, ...figures }) => [
    endpoint,
    name,
    figures.requests,
    figures.bytes,
    figures.hits,
    figures.savedBytes,
    figures.upstreamRequests,
    figures.upstreamBytes,
  ]);
  return [head, ...rows].map((row) => row.map(csvField).join(',')).join('\r\n');
}

/** Spreadsheets take a cell that begins like this for a formula, and whoever names a user could write one. */
const FORMULA = /^[=+\-@\t\r]/;

function csvField(value: string | number): string {
  const text = String(value);
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
