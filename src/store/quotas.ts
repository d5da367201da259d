import type { Digest } from '../domain/digest.ts';
import type { Clock } from '../lib/clock.ts';
import type { Counters } from './counters.ts';
import type { Database } from './database.ts';
import { createEndpointContents, type EndpointUse } from './endpoint-contents.ts';
import type { Health } from './health.ts';
import type { ContentKind } from './layout.ts';
import { createRoom, type QuotaByEndpoint } from './quota-room.ts';
import { createNotedUses } from './quota-uses.ts';

export interface QuotaOptions {
  readonly database: Database;
  readonly health: Health;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Removes one file. False when it is needed; rejects when the file system refuses. */
  remove(kind: ContentKind, digest: Digest): Promise<boolean>;
}

export interface QuotaFigures extends EndpointUse {
  /** How often the endpoint lost content to its quota since the start. */
  readonly evicted: number;
}

/**
 * How much of the cache each endpoint may use. What an endpoint has too much loses its claim, least recently used first; the
 * bytes go when no other endpoint has a claim to them.
 */
export interface Quotas {
  /** Takes quotas into use. Without any, nothing is listed. */
  set(quotas: QuotaByEndpoint): void;
  /** Notes a use, in memory at first: a row is written at most every few seconds. */
  used(endpoint: string, kind: ContentKind, digest: Digest): void;
  /** Tries again if something was needed: some of it is not needed any more. */
  retry(): void;
  /** Without any quota nothing. */
  figures(): readonly QuotaFigures[];
  /** Writes what is pending and ends making room. */
  close(): Promise<void>;
}

export function createQuotas({ database, health, clock, counters, remove }: QuotaOptions): Quotas {
  const claims = createEndpointContents(database, health);
  const evicted = new Map<string, number>();
  let quotas: QuotaByEndpoint = new Map();
  let isOn = false;
  let running: Promise<void> | undefined;
  /** Whether something was needed, so that trying again at once is of no use. */
  let isStuck = false;
  let isClosed = false;

  const uses = createNotedUses({
    clock,
    lastUse: Number(database.run((statements) => statements.lastUse.get()?.used ?? 0)),
    write(noted) {
      const known = noted.filter(({ endpoint }) => quotas.has(endpoint));
      room.refuse(claims.add(known, (endpoint, size) => size <= (quotas.get(endpoint) ?? size)));
    },
    onFlush: makeRoom,
  });
  const room = createRoom({
    ...{ claims, counters, remove },
    quotas: () => quotas,
    writeUses: uses.write,
    onLost: (endpoint) => void evicted.set(endpoint, (evicted.get(endpoint) ?? 0) + 1),
    onNeeded() {
      isStuck = true;
    },
  });

  /** Makes room where it is short, one run at a time. */
  function makeRoom(): void {
    if (!isOn || !room.isShort) return;
    isStuck = false;
    if (running !== undefined || isClosed) return;
    running = room.make().then(
      () => {
        running = undefined;
        // Others may have come to have too much meanwhile.
        if (!isStuck) makeRoom();
      },
      (error) => {
        running = undefined;
        health.failed(error);
      },
    );
  }

  return {
    set(next) {
      uses.write();
      quotas = next;
      isOn = next.values().some((quota) => quota !== undefined);
      claims.putQuotas(isOn ? next : new Map());
      room.quotasChanged();
      makeRoom();
    },
    used(endpoint, kind, digest) {
      if (isOn) uses.note({ endpoint, kind, digest });
    },
    retry() {
      if (isStuck) makeRoom();
    },
    figures: () =>
      isOn ? claims.totals().map((total) => ({ ...total, evicted: evicted.get(total.endpoint) ?? 0 })) : [],
    async close() {
      isClosed = true;
      room.close();
      uses.write();
      await running;
    },
  };
}
