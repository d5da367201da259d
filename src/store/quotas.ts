import type { Digest } from '../domain/digest.ts';
import type { Clock } from '../lib/clock.ts';
import type { ContentUse } from './contents.ts';
import type { Counters } from './counters.ts';
import type { Database } from './database.ts';
import { type Claim, createEndpointContents, type EndpointUse } from './endpoint-contents.ts';
import type { Health } from './health.ts';
import type { ContentKind } from './layout.ts';

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
  /** The bytes for each endpoint, undefined where it has no quota. Without any quota nothing is listed. */
  set(quotas: ReadonlyMap<string, number | undefined>): void;
  /** Notes a use, in memory at first: a row is written at most every few seconds. */
  used(endpoint: string, kind: ContentKind, digest: Digest): void;
  /** Tries again if something was needed: some of it is not needed any more. */
  retry(): void;
  /** Without any quota nothing. */
  figures(): readonly QuotaFigures[];
  /** Writes what is pending and ends making room. */
  close(): Promise<void>;
}

const FLUSH_AFTER_MILLISECONDS = 5_000;
const FLUSH_AT_COUNT = 1_000;

export function createQuotas({ database, health, clock, counters, remove }: QuotaOptions): Quotas {
  const claims = createEndpointContents(database, health);
  const pending = new Map<string, Claim>();
  const evicted = new Map<string, number>();
  /** Larger than the quota of who used it, by kind and digest. */
  const tooLarge = new Map<string, Claim>();
  let quotas: ReadonlyMap<string, number | undefined> = new Map();
  let isOn = false;
  let lastUse = Number(database.run((statements) => statements.lastUse.get()?.used ?? 0));
  let cancelFlush: (() => void) | undefined;
  let running: Promise<void> | undefined;
  /** Whether endpoints may be listed that there are no more. */
  let mayHaveOthers = false;
  let isShort = false;
  let isClosed = false;

  // Never the same twice and never backwards, so that a clock that is set back does not make what is in use look old.
  function nextUse(): number {
    lastUse = Math.max(lastUse + 1, Math.floor(clock.now()));
    return lastUse;
  }

  const isOver = (endpoint: string, bytes: number) => bytes > (quotas.get(endpoint) ?? Number.POSITIVE_INFINITY);
  const overfull = () => claims.totals().filter(({ endpoint, bytes }) => isOver(endpoint, bytes));

  function lost(endpoint: string): void {
    evicted.set(endpoint, (evicted.get(endpoint) ?? 0) + 1);
  }

  function write(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (pending.size === 0) return;
    const uses = [...pending.values()].filter(({ endpoint }) => quotas.has(endpoint));
    pending.clear();
    const refused = claims.add(uses, (endpoint, size) => size <= (quotas.get(endpoint) ?? size));
    for (const claim of refused) tooLarge.set(`${claim.kind} ${claim.digest}`, claim);
  }

  function flush(): void {
    write();
    trigger();
  }

  /** Gives up an endpoint's claim, and the bytes with the last one. False when they are needed. */
  async function release(endpoint: string, kind: ContentKind, digest: Digest): Promise<boolean> {
    if (claims.claimsOf(kind, digest) > 1) {
      claims.drop(endpoint, kind, digest);
    } else {
      if (!(await remove(kind, digest))) return false;
      counters.evicted += 1;
    }
    lost(endpoint);
    return true;
  }

  async function shrink(endpoint: string): Promise<void> {
    let last: ContentUse | undefined;
    for (;;) {
      const batch = claims.leastUsed(endpoint, last);
      if (batch.length === 0) isShort = true;
      for (const content of batch) {
        // Others may have come to use it.
        write();
        if (isClosed || !isOver(endpoint, claims.bytesOf(endpoint))) return;
        await release(endpoint, content.kind, content.digest);
        last = content;
      }
      if (batch.length === 0) return;
    }
  }

  async function dropTooLarge(): Promise<void> {
    for (const [key, { endpoint, kind, digest }] of tooLarge) {
      if (isClosed) return;
      if (claims.claimsOf(kind, digest) > 0) {
        tooLarge.delete(key);
      } else if (await remove(kind, digest)) {
        tooLarge.delete(key);
        counters.evicted += 1;
        lost(endpoint);
      } else {
        isShort = true;
      }
    }
  }

  /** What endpoints used that there are no more stays until the cache is full. */
  async function forgetOthers(): Promise<void> {
    mayHaveOthers = false;
    for (const { endpoint } of claims.totals()) {
      if (quotas.has(endpoint)) continue;
      while (!isClosed && claims.dropSome(endpoint)) await new Promise<void>((resume) => setImmediate(resume));
    }
  }

  async function makeRoom(): Promise<void> {
    if (mayHaveOthers) await forgetOthers();
    await dropTooLarge();
    for (const { endpoint } of overfull()) await shrink(endpoint);
  }

  function work(action: () => Promise<void>): void {
    if (running !== undefined || isClosed) return;
    running = action().then(
      () => {
        running = undefined;
        // Others may have come to have too much meanwhile.
        if (!isShort) trigger();
      },
      (error) => {
        running = undefined;
        health.failed(error);
      },
    );
  }

  function trigger(): void {
    if (!isOn || (!mayHaveOthers && tooLarge.size === 0 && overfull().length === 0)) return;
    isShort = false;
    work(makeRoom);
  }

  return {
    set(next) {
      write();
      quotas = next;
      isOn = next.values().some((quota) => quota !== undefined);
      tooLarge.clear();
      claims.putQuotas(isOn ? next : new Map());
      mayHaveOthers = true;
      trigger();
    },
    used(endpoint, kind, digest) {
      if (!isOn) return;
      pending.set(`${endpoint} ${kind} ${digest}`, { endpoint, kind, digest, used: nextUse() });
      if (pending.size >= FLUSH_AT_COUNT) flush();
      else cancelFlush ??= clock.after(FLUSH_AFTER_MILLISECONDS, flush);
    },
    retry() {
      if (isShort) trigger();
    },
    figures: () =>
      isOn ? claims.totals().map((total) => ({ ...total, evicted: evicted.get(total.endpoint) ?? 0 })) : [],
    async close() {
      isClosed = true;
      write();
      await running;
    },
  };
}
