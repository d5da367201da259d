import {
  addUsage,
  byUsage,
  NO_USAGE,
  OTHERS,
  type UsageFigures,
  type UsageKey,
  type UsageRow,
  type UsageSubject,
} from '../domain/usage.ts';

/** What was used on one day, in memory. */
export interface UsageTable {
  readonly day: number;
  /** One request of an endpoint. */
  count(endpoint: string, repository: string, user: string, bytes: number, isHit: boolean): void;
  /** What went to a registry serves all, and is booked on no user. */
  spend(endpoint: string, repository: string, requests: number, bytes: number): void;
  /** Leaves the names that used most, and adds up the others. */
  fold(): void;
  setTop(top: number): void;
  /** The rows that are not written as they are, and those that were written and are no more. */
  changes(): { readonly rows: readonly UsageRow[]; readonly gone: readonly UsageKey[] };
  /** These are written, and what was gone is deleted. */
  written(rows: readonly UsageRow[]): void;
}

type Sums = { -readonly [Name in keyof UsageFigures]: UsageFigures[Name] };

interface Entry {
  readonly name: string;
  sums: Sums;
  isWritten: boolean;
  isDirty: boolean;
}

type Names = Map<string, Entry>;

/**
 * Goes on with the rows of a day. While it lasts, twice `top` names are counted before the smaller half is added up, so that
 * names which come and go do not push out those that stay.
 */
export function createUsageTable(day: number, rows: readonly UsageRow[], initialTop: number): UsageTable {
  const endpoints = new Map<string, Readonly<Record<UsageSubject, Names>>>();
  let gone: UsageKey[] = [];
  let top = initialTop;

  for (const { day: _, endpoint, subject, name, ...sums } of rows) {
    namesOf(endpoint)[subject].set(name, { name, sums, isWritten: true, isDirty: false });
  }

  function namesOf(endpoint: string): Readonly<Record<UsageSubject, Names>> {
    let names = endpoints.get(endpoint);
    if (names === undefined) {
      names = { repository: new Map(), user: new Map() };
      endpoints.set(endpoint, names);
    }
    return names;
  }

  function sumsOf(endpoint: string, subject: UsageSubject, name: string): Sums {
    const names = namesOf(endpoint)[subject];
    let entry = names.get(name);
    if (entry === undefined) {
      if (names.size >= 2 * top) foldNames(endpoint, subject);
      entry = { name, sums: { ...NO_USAGE }, isWritten: false, isDirty: true };
      names.set(name, entry);
    }
    entry.isDirty = true;
    return entry.sums;
  }

  function foldNames(endpoint: string, subject: UsageSubject): void {
    const names = namesOf(endpoint)[subject];
    const named = [...names.values()].filter(({ name }) => name !== OTHERS && name !== '');
    const least = named.sort((one, other) => byUsage(one.sums, other.sums)).slice(top);
    for (const { name, isWritten } of least) {
      names.delete(name);
      if (isWritten) gone.push({ day, endpoint, subject, name });
    }
    const rest = least.reduce((sum, { sums }) => addUsage(sum, sums), NO_USAGE);
    if (least.length > 0) {
      const others = sumsOf(endpoint, subject, OTHERS);
      Object.assign(others, addUsage(others, rest));
    }
  }

  return {
    day,
    count(endpoint, repository, user, bytes, isHit) {
      countIn(sumsOf(endpoint, 'repository', repository), bytes, isHit);
      countIn(sumsOf(endpoint, 'user', user), bytes, isHit);
    },
    spend(endpoint, repository, requests, bytes) {
      const sums = sumsOf(endpoint, 'repository', repository);
      sums.upstreamRequests += requests;
      sums.upstreamBytes += bytes;
    },
    fold() {
      for (const endpoint of endpoints.keys()) {
        foldNames(endpoint, 'repository');
        foldNames(endpoint, 'user');
      }
    },
    setTop(next) {
      top = next;
    },
    changes() {
      const changed: UsageRow[] = [];
      for (const [endpoint, subjects] of endpoints) {
        for (const subject of ['repository', 'user'] as const) {
          for (const { name, sums, isDirty } of subjects[subject].values()) {
            if (isDirty) changed.push({ day, endpoint, subject, name, ...sums });
          }
        }
      }
      return { rows: changed, gone };
    },
    written(rowsWritten) {
      for (const { endpoint, subject, name } of rowsWritten) {
        const entry = namesOf(endpoint)[subject].get(name);
        if (entry !== undefined) Object.assign(entry, { isWritten: true, isDirty: false });
      }
      gone = [];
    },
  };
}

function countIn(sums: Sums, bytes: number, isHit: boolean): void {
  sums.requests += 1;
  sums.bytes += bytes;
  if (!isHit) return;
  sums.hits += 1;
  sums.savedBytes += bytes;
}
