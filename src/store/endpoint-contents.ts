import type { Digest } from '../domain/digest.ts';
import type { ContentUse } from './contents.ts';
import type { Database } from './database.ts';
import { attempt, type Health } from './health.ts';
import type { ContentKind } from './layout.ts';
import type { Statements } from './statements.ts';

/** What one endpoint uses of the cache. Content that several use counts for each of them. */
export interface EndpointUse {
  readonly endpoint: string;
  readonly quota: number | undefined;
  readonly bytes: number;
  readonly count: number;
}

export interface Claim {
  readonly endpoint: string;
  readonly kind: ContentKind;
  readonly digest: Digest;
  readonly used: number;
}

/** The list of what each endpoint uses: its claims. A database that fails knows nothing. */
export interface EndpointContents {
  /** Lists uses of stored content, unless `fits` says that it is too large for its endpoint. Gives what is too large. */
  add(claims: readonly Claim[], fits: (endpoint: string, size: number) => boolean): readonly Claim[];
  drop(endpoint: string, kind: ContentKind, digest: Digest): void;
  /** Drops up to a thousand claims of an endpoint, and the endpoint with the last one. False when nothing was left. */
  dropSome(endpoint: string): boolean;
  /** How many endpoints use it. */
  claimsOf(kind: ContentKind, digest: Digest): number;
  /** The next least recently used ones of an endpoint, in order, behind `after`. */
  leastUsed(endpoint: string, after: ContentUse | undefined): readonly ContentUse[];
  totals(): readonly EndpointUse[];
  bytesOf(endpoint: string): number;
  putQuotas(quotas: ReadonlyMap<string, number | undefined>): void;
}

export function createEndpointContents(database: Database, health: Health): EndpointContents {
  const run = <T>(action: (statements: Statements) => T) => attempt(health, () => database.run(action));

  return {
    add(claims, fits) {
      const tooLarge: Claim[] = [];
      attempt(health, () =>
        database.transact((statements) => {
          for (const claim of claims) {
            const { endpoint, kind, digest, used } = claim;
            const size = statements.content.get(kind, digest)?.size;
            if (size === undefined) continue;
            if (fits(endpoint, Number(size))) statements.claimContent.run(endpoint, kind, digest, size, used);
            else tooLarge.push(claim);
          }
        }),
      );
      return tooLarge;
    },
    drop: (endpoint, kind, digest) => void run((statements) => statements.dropClaim.run(endpoint, kind, digest)),
    dropSome(endpoint) {
      const dropped = run((statements) => Number(statements.dropSomeClaims.run(endpoint).changes)) ?? 0;
      if (dropped === 0) run((statements) => statements.dropEndpoint.run(endpoint));
      return dropped > 0;
    },
    claimsOf: (kind, digest) => run((statements) => Number(statements.claimsOf.get(kind, digest)?.count)) ?? 0,
    leastUsed(endpoint, after) {
      const { used, kind, digest } = after ?? { used: -1, kind: '', digest: '' };
      const rows = run((statements) => statements.leastClaimed.all(endpoint, used, kind, digest));
      // The columns are those of ContentUse, written by this file alone.
      return (rows ?? []) as unknown as ContentUse[];
    },
    totals() {
      const rows = run((statements) => statements.endpointTotals.all()) ?? [];
      return rows.map(({ endpoint, quota, bytes, count }) => ({
        endpoint: String(endpoint),
        quota: quota === null ? undefined : Number(quota),
        bytes: Number(bytes),
        count: Number(count),
      }));
    },
    bytesOf: (endpoint) => run((statements) => Number(statements.endpointBytes.get(endpoint)?.bytes ?? 0)) ?? 0,
    putQuotas(quotas) {
      attempt(health, () =>
        database.transact((statements) => {
          statements.dropQuotas.run();
          for (const [endpoint, quota] of quotas) statements.putEndpoint.run(endpoint, quota ?? null);
        }),
      );
    },
  };
}
