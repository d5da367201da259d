import {
  dayOf,
  reportUsage,
  type UsageKey,
  type UsageQuestion,
  type UsageReport,
  type UsageRow,
} from '../domain/usage.ts';
import type { Clock } from '../lib/clock.ts';
import { DAY } from '../lib/units.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { createUsageTable } from './usage-table.ts';

/** Where the figures of days are kept. */
export interface UsageRecords {
  ofDay(day: number): readonly UsageRow[];
  answering(question: UsageQuestion): readonly UsageRow[];
  /** False when nothing was written. */
  write(rows: readonly UsageRow[], gone: readonly UsageKey[]): boolean;
  forgetBefore(day: number): void;
}

export interface UsageSettings {
  /** For how long days are kept, in milliseconds. */
  readonly keep: number;
  /** How many repositories, and how many users, of an endpoint and a day are told apart. */
  readonly top: number;
}

/** Counts what clients used. Counting touches memory only; what was counted is written a few seconds later. */
export interface Usage {
  requestFinished(request: FinishedRequest): void;
  /** Requests that a registry answered in the name of an endpoint, and bytes that came from it or went to it. */
  spent(endpoint: string, repository: string, requests: number, bytes: number): void;
  report(question: UsageQuestion): UsageReport;
  configure(settings: UsageSettings): void;
  /** Writes what was counted. */
  flush(): void;
}

/** In milliseconds: the end of the process without a farewell loses what was counted since. */
const FLUSH_AFTER = 5_000;

export function createUsage(records: UsageRecords, clock: Clock, initial: UsageSettings): Usage {
  let settings = initial;
  let table = createUsageTable(Number.NaN, [], initial.top);
  let isFlushDue = false;

  /** The table of today. */
  function current() {
    const today = dayOf(clock.now());
    if (table.day !== today) {
      table.fold();
      flush();
      table = createUsageTable(today, records.ofDay(today), settings.top);
      records.forgetBefore(firstDay());
    }
    if (!isFlushDue) {
      isFlushDue = true;
      clock.after(FLUSH_AFTER, flush);
    }
    return table;
  }

  function firstDay(): number {
    return table.day - Math.ceil(settings.keep / DAY) + 1;
  }

  function flush(): void {
    isFlushDue = false;
    const { rows, gone } = table.changes();
    if (rows.length + gone.length > 0 && records.write(rows, gone)) table.written(rows);
  }

  return {
    requestFinished({ endpoint, repository = '', user = '', status, cache, bytesSent }) {
      const isHit = cache === 'hit' || cache === 'stale';
      // Names that nobody is served could be anything.
      const served = status < 400 ? repository : '';
      current().count(endpoint, served, user, bytesSent, isHit);
    },
    spent(endpoint, repository, requests, bytes) {
      current().spend(endpoint, repository, requests, bytes);
    },
    report(question) {
      const today = current().day;
      flush();
      return reportUsage(records.answering(question), question, today);
    },
    configure(next) {
      settings = next;
      table.setTop(next.top);
      if (!Number.isNaN(table.day)) records.forgetBefore(firstDay());
    },
    flush,
  };
}
