import type { Digest } from '../domain/digest.ts';
import type { ContentUse } from './contents.ts';
import type { Counters } from './counters.ts';
import type { Claim, EndpointContents } from './endpoint-contents.ts';
import type { ContentKind } from './layout.ts';

/** The bytes for each endpoint, undefined where it has no quota. */
export type QuotaByEndpoint = ReadonlyMap<string, number | undefined>;

export interface RoomOptions {
  readonly claims: EndpointContents;
  readonly counters: Counters;
  quotas(): QuotaByEndpoint;
  /** Removes one file. False when it is needed; rejects when the file system refuses. */
  remove(kind: ContentKind, digest: Digest): Promise<boolean>;
  /** Writes uses that are pending: others may have come to use what is about to go. */
  writeUses(): void;
  /** An endpoint lost content. */
  onLost(endpoint: string): void;
  /** Something could not go because it was needed. */
  onNeeded(): void;
}

/** What endpoints have too much of, and how it goes. */
export interface Room {
  /** Whether an endpoint has too much, or is listed although there is no such endpoint any more. */
  readonly isShort: boolean;
  /** These are larger than the quota of who used them. */
  refuse(claims: readonly Claim[]): void;
  /** There may be other endpoints, and other quotas. */
  quotasChanged(): void;
  make(): Promise<void>;
  /** Ends making room after the content that is being taken. */
  close(): void;
}

export function createRoom({ claims, counters, quotas, remove, writeUses, onLost, onNeeded }: RoomOptions): Room {
  /** By kind and digest. */
  const tooLarge = new Map<string, Claim>();
  /** Whether endpoints may be listed that there are no more. */
  let mayHaveOthers = false;
  let isClosed = false;

  const isOver = (endpoint: string, bytes: number) => bytes > (quotas().get(endpoint) ?? Number.POSITIVE_INFINITY);
  const overfull = () => claims.totals().filter(({ endpoint, bytes }) => isOver(endpoint, bytes));

  /** False when it is needed. */
  async function take(endpoint: string, kind: ContentKind, digest: Digest): Promise<boolean> {
    if (!(await remove(kind, digest))) return false;
    counters.evicted += 1;
    onLost(endpoint);
    return true;
  }

  /** Gives up an endpoint's claim, and the bytes with the last one, unless they are needed. */
  async function release(endpoint: string, { kind, digest }: ContentUse): Promise<void> {
    if (claims.claimsOf(kind, digest) > 1) {
      claims.drop(endpoint, kind, digest);
      onLost(endpoint);
    } else {
      await take(endpoint, kind, digest);
    }
  }

  async function shrink(endpoint: string): Promise<void> {
    let last: ContentUse | undefined;
    for (;;) {
      const batch = claims.leastUsed(endpoint, last);
      if (batch.length === 0) onNeeded();
      for (const content of batch) {
        writeUses();
        if (isClosed || !isOver(endpoint, claims.bytesOf(endpoint))) return;
        await release(endpoint, content);
        last = content;
      }
      if (batch.length === 0) return;
    }
  }

  async function dropTooLarge(): Promise<void> {
    for (const [key, { endpoint, kind, digest }] of tooLarge) {
      if (isClosed) return;
      if (claims.claimsOf(kind, digest) > 0 || (await take(endpoint, kind, digest))) tooLarge.delete(key);
      else onNeeded();
    }
  }

  /** What endpoints used that there are no more stays until the cache is full. */
  async function forgetOthers(): Promise<void> {
    mayHaveOthers = false;
    for (const { endpoint } of claims.totals()) {
      if (quotas().has(endpoint)) continue;
      while (!isClosed && claims.dropSome(endpoint)) await new Promise<void>((resume) => setImmediate(resume));
    }
  }

  return {
    get isShort() {
      return mayHaveOthers || tooLarge.size > 0 || overfull().length > 0;
    },
    refuse(refused) {
      for (const claim of refused) tooLarge.set(`${claim.kind} ${claim.digest}`, claim);
    },
    quotasChanged() {
      tooLarge.clear();
      mayHaveOthers = true;
    },
    async make() {
      if (mayHaveOthers) await forgetOthers();
      await dropTooLarge();
      for (const { endpoint } of overfull()) await shrink(endpoint);
    },
    close() {
      isClosed = true;
    },
  };
}
