import { subjectOf, type UsageKey, type UsageQuestion, type UsageRow, type UsageSubject } from '../domain/usage.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';
import { createLayout } from './layout.ts';
import { openReadOnly } from './read-only.ts';
import { USAGE_SINCE } from './statements.ts';
import { requireCache } from './statistics.ts';

/** What was used, in the facts database: a row for each endpoint, day and name. A database that fails has and keeps nothing. */
export interface UsageRecords {
  ofDay(day: number): readonly UsageRow[];
  /** The rows that answer a question, without those that are not written yet. */
  answering(question: UsageQuestion): readonly UsageRow[];
  /** Puts rows in place of those with the same key, and takes others out: all or nothing. False when that failed. */
  write(rows: readonly UsageRow[], gone: readonly UsageKey[]): boolean;
  /** Forgets the days before this one. */
  forgetBefore(day: number): void;
}

export function createUsageRecords(database: Database, health: Health): UsageRecords {
  return {
    ofDay: (day) =>
      attempt(health, () => database.run(({ usageOfDay }) => (usageOfDay.all(day) as readonly Row[]).map(usageRow))) ??
      [],
    answering: ({ since, endpoint, by }) =>
      attempt(health, () =>
        database.run(({ usageSince }) => {
          const rows = usageSince.all(since, subjectOf(by), endpoint ?? null) as readonly Row[];
          return rows.map(usageRow);
        }),
      ) ?? [],
    write: (rows, gone) =>
      attempt(health, () => {
        database.transact(({ dropUsage, putUsage }) => {
          for (const { day, endpoint, subject, name } of gone) dropUsage.run(day, endpoint, subject, name);
          for (const row of rows) putUsage.run(...valuesOf(row));
        });
        health.worked('facts');
        return true;
      }) ?? false,
    forgetBefore: (day) => void attempt(health, () => database.transact(({ forgetUsage }) => forgetUsage.run(day))),
  };
}

/**
 * Reads from a cache directory what answers a question, whether a manifix runs on it or not.
 * @throws an Error whose message is one plain sentence when there is no cache, or it has another format
 */
export function readUsage(directory: string, { since, endpoint, by }: UsageQuestion): readonly UsageRow[] {
  requireCache(directory);
  const database = openReadOnly(createLayout(directory).facts);
  try {
    const rows = database.prepare(USAGE_SINCE).all(since, subjectOf(by), endpoint ?? null);
    return (rows as readonly Row[]).map(usageRow);
  } finally {
    database.close();
  }
}

type Row = Readonly<Record<string, unknown>>;

function usageRow(row: Row): UsageRow {
  return {
    day: Number(row.day),
    endpoint: String(row.endpoint),
    // Only such rows were written.
    subject: row.subject as UsageSubject,
    name: String(row.name),
    requests: Number(row.requests),
    bytes: Number(row.bytes),
    hits: Number(row.hits),
    savedBytes: Number(row.saved_bytes),
    upstreamRequests: Number(row.upstream_requests),
    upstreamBytes: Number(row.upstream_bytes),
  };
}

function valuesOf(row: UsageRow) {
  const { day, endpoint, subject, name, requests, bytes, hits, savedBytes, upstreamRequests, upstreamBytes } = row;
  return [day, endpoint, subject, name, requests, bytes, hits, savedBytes, upstreamRequests, upstreamBytes] as const;
}
