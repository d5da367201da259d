/** What clients used, as sums. */
export interface UsageFigures {
  readonly requests: number;
  /** Body bytes that were sent to clients. */
  readonly bytes: number;
  /** Requests that were answered from the cache. */
  readonly hits: number;
  /** Of the bytes those from the cache. */
  readonly savedBytes: number;
  /** Requests that the registry answered. */
  readonly upstreamRequests: number;
  /** Body bytes that came from the registry or went to it. */
  readonly upstreamBytes: number;
}

/** What figures are told apart by, within an endpoint and a day. Each of the two has all of it. */
export type UsageSubject = 'repository' | 'user';

export interface UsageKey {
  /** Days since the epoch, in UTC. */
  readonly day: number;
  readonly endpoint: string;
  readonly subject: UsageSubject;
  /** A repository by the upstream's name, or a user; empty for none, `OTHERS` for the rest. */
  readonly name: string;
}

export type UsageRow = UsageKey & UsageFigures;

/** The name of all that are not told apart. No repository can have it. */
export const OTHERS = '(others)';

export const NO_USAGE: UsageFigures = {
  requests: 0,
  bytes: 0,
  hits: 0,
  savedBytes: 0,
  upstreamRequests: 0,
  upstreamBytes: 0,
};

export function addUsage(one: UsageFigures, other: UsageFigures): UsageFigures {
  return {
    requests: one.requests + other.requests,
    bytes: one.bytes + other.bytes,
    hits: one.hits + other.hits,
    savedBytes: one.savedBytes + other.savedBytes,
    upstreamRequests: one.upstreamRequests + other.upstreamRequests,
    upstreamBytes: one.upstreamBytes + other.upstreamBytes,
  };
}

/** Orders those first that used most. */
export function byUsage(one: UsageFigures, other: UsageFigures): number {
  return other.bytes - one.bytes || other.requests - one.requests;
}

export const USAGE_BREAKDOWNS = ['day', 'repository', 'user'] as const;
/** What the lines of a report are about. */
export type UsageBreakdown = (typeof USAGE_BREAKDOWNS)[number];

export function isUsageBreakdown(text: string): text is UsageBreakdown {
  return USAGE_BREAKDOWNS.some((known) => known === text);
}

export interface UsageQuestion {
  /** The first day; the report goes up to now. */
  readonly since: number;
  /** Undefined for all. */
  readonly endpoint: string | undefined;
  readonly by: UsageBreakdown;
}

/** Which rows of the records answer a question: a report by day needs those of one subject only. */
export function subjectOf(by: UsageBreakdown): UsageSubject {
  return by === 'user' ? 'user' : 'repository';
}

export interface UsageLine extends UsageFigures {
  readonly endpoint: string;
  /** The day as YYYY-MM-DD, the repository or the user. */
  readonly name: string;
}

export interface UsageReport {
  /** The first day, YYYY-MM-DD. */
  readonly since: string;
  /** The last one. */
  readonly until: string;
  readonly timeZone: 'UTC';
  readonly by: UsageBreakdown;
  /** By day in order, else the largest first. */
  readonly lines: readonly UsageLine[];
  readonly total: UsageFigures;
}

const DAY = 86_400_000;

/** The day of a time in milliseconds since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY);
}

/** `2026-11-27` */
export function formatDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** Adds the rows of the question's subject up. */
export function reportUsage(rows: Iterable<UsageRow>, { since, by }: UsageQuestion, today: number): UsageReport {
  const lines = new Map<string, UsageLine>();
  let total = NO_USAGE;
  for (const row of rows) {
    const name = by === 'day' ? formatDay(row.day) : row.name;
    const key = JSON.stringify([row.endpoint, name]);
    lines.set(key, { endpoint: row.endpoint, name, ...addUsage(lines.get(key) ?? NO_USAGE, row) });
    total = addUsage(total, row);
  }
  const inOrder = (one: UsageLine, other: UsageLine) =>
    (by === 'day' ? compare(one.name, other.name) : byUsage(one, other)) ||
    compare(one.endpoint, other.endpoint) ||
    compare(one.name, other.name);
  return {
    since: formatDay(since),
    until: formatDay(today),
    timeZone: 'UTC',
    by,
    lines: [...lines.values()].sort(inOrder),
    total,
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
