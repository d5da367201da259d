import type { AuditEvent } from '../domain/audit.ts';
import type { Clock } from '../lib/clock.ts';

/** What was refused, with how often when that is more than once. */
export type RefusedEvent = AuditEvent & { readonly count?: number };

export interface Refusals {
  add(event: AuditEvent): void;
  /** Writes what was counted. */
  flush(): void;
}

/** In milliseconds. */
const PERIOD = 60_000;
/** Of what is told apart in one period, in all and for one address: names and addresses come from outside. */
const MAX_ENTRIES = 1_000;
const MAX_OF_CLIENT = 50;

interface Entry {
  readonly last: AuditEvent;
  readonly count: number;
}

/**
 * Keeps a flood of refused requests from filling the audit log. The first of its kind is written at once; those that follow
 * within a minute are counted and written as one line. An address that causes many kinds gets a line for all the rest, and
 * beyond a number of addresses all of them do.
 */
export function createRefusals(clock: Clock, write: (event: RefusedEvent) => void): Refusals {
  const entries = new Map<string, Entry>();
  const perClient = new Map<string, number>();
  let cancel: (() => void) | undefined;

  function flush(): void {
    cancel?.();
    cancel = undefined;
    for (const { last, count } of entries.values()) if (count > 0) write({ ...last, count });
    entries.clear();
    perClient.clear();
  }

  /** The entry that counts an event: its own, or as long as there is no room for it that of its address, or of all. */
  function placeOf(event: AuditEvent): { readonly key: string; readonly shown: AuditEvent } {
    const { client } = event;
    const own = keyOf(event);
    if (entries.has(own)) return { key: own, shown: event };
    const used = perClient.get(client) ?? 0;
    if (entries.size >= MAX_ENTRIES) return { key: 'others', shown: { ...REST, client: 'others' } };
    if (used >= MAX_OF_CLIENT) return { key: `others ${client}`, shown: { ...REST, client } };
    perClient.set(client, used + 1);
    return { key: own, shown: event };
  }

  return {
    add(event) {
      const { key, shown } = placeOf(event);
      const known = entries.get(key);
      if (known === undefined) write(shown);
      entries.set(key, { last: shown, count: known === undefined ? 0 : known.count + 1 });
      cancel ??= clock.after(PERIOD, flush);
    },
    flush,
  };
}

/** What stands for refused requests that are not told apart. */
const REST = { event: 'denied', outcome: 'refused', detail: { others: true } } as const;

function keyOf({ event, user, client, endpoint, repository, detail }: AuditEvent): string {
  return JSON.stringify([event, user, client, endpoint, repository, detail?.action]);
}
