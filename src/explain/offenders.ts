import { repositoryInPath } from '../domain/route-path.ts';
import { clientFamily } from '../domain/user-agent.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';

/** Who kept a fix busy. */
export interface Offender {
  readonly fix: string;
  /** The family of the User-Agent. */
  readonly client: string;
  readonly endpoint: string;
  /** As the client names it; empty where a request is about none, `(others)` beyond what is told apart. */
  readonly repository: string;
  readonly count: number;
  /** In ISO 8601. */
  readonly lastSeen: string;
  /** What the fix did the last time. */
  readonly note: string;
  /** The page that tells how to get rid of the cause. */
  readonly page: string;
}

export interface OffenderReport {
  /** Since when it was counted: since the start of the process. */
  readonly since: string;
  /** The most frequent first. */
  readonly offenders: readonly Offender[];
  /** How many more there are. */
  readonly more: number;
}

export interface Offenders {
  requestFinished(request: FinishedRequest): void;
  report(top: number): OffenderReport;
}

/** Every repository could be an offender for every client, and names come from outside: their number has to end somewhere. */
const MAX_ENTRIES = 5_000;
const OTHERS = '(others)';

/** Counts what fixes did by fix, client, endpoint and repository, in memory. */
export function createOffenders(now: () => number): Offenders {
  const since = new Date(now()).toISOString();
  const entries = new Map<string, { -readonly [Key in keyof Offender]: Offender[Key] }>();

  function count(fix: string, client: string, endpoint: string, repository: string, note: string): void {
    const key = JSON.stringify([fix, client, endpoint, repository]);
    const known = entries.get(key);
    const lastSeen = new Date(now()).toISOString();
    if (known !== undefined) {
      known.count += 1;
      known.lastSeen = lastSeen;
      known.note = note;
    } else if (entries.size < MAX_ENTRIES || repository === OTHERS) {
      entries.set(key, { fix, client, endpoint, repository, count: 1, lastSeen, note, page: `docs/fixes/${fix}.md` });
    } else {
      count(fix, client, endpoint, OTHERS, note);
    }
  }

  return {
    requestFinished({ endpoint, path, userAgent, fixes }) {
      if (fixes.length === 0) return;
      const repository = repositoryInPath(path) ?? '';
      const client = clientFamily(userAgent);
      const applied = new Map(fixes.filter(({ failure }) => failure === undefined).map(({ id, note }) => [id, note]));
      for (const [id, note] of applied) count(id, client, endpoint, repository, note);
    },
    report(top) {
      const sorted = [...entries.values()].toSorted((one, other) => other.count - one.count);
      return { since, offenders: sorted.slice(0, top), more: Math.max(0, sorted.length - top) };
    },
  };
}
