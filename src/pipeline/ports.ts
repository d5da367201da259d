import type { AuditEvent } from '../domain/audit.ts';
import type { Challenge } from '../domain/challenge.ts';
import type { PolicyMark } from '../domain/content-policy.ts';
import type { Descriptors } from '../domain/descriptor.ts';
import type { Digest } from '../domain/digest.ts';
import type { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { RouteKind } from '../domain/route.ts';
import type { AppliedFix } from '../fixes/run.ts';
import type { ShortMemory } from '../lib/short-memory.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import type { SizedMemory } from '../lib/sized-memory.ts';
import type { Versions } from '../lib/versions.ts';
import type { HeadTrust } from './head-trust.ts';
import type { Facts, LinkKind, Pins, TagHistory } from './ports-facts.ts';
import type { FillShare } from './ports-limits.ts';
import type { Upstream, UpstreamResponse } from './ports-upstream.ts';

// What the use cases need from the outside, in their own words. `upstream`, `store` and `admin` fit these shapes;
// app.ts joins them.

export type { Outlook, RefusedRequest, Upstream, UpstreamRequest, UpstreamResponse } from './ports-upstream.ts';

/** Verified bytes of a blob, or those of a running fill, as one client reads them. */
export interface BlobReader {
  /** The next bytes, or undefined at the end. A chunk is valid until the next call. Rejects when the bytes cannot be completed. */
  next(): Promise<Uint8Array | undefined>;
  /** Frees what the reader holds; safe to call twice and at any time. */
  close(): void;
}

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

export interface StoredBlob {
  readonly size: number;
  reader(range?: ByteRange): BlobReader;
  close(): void;
}

/** The one download of a cold blob that all its readers share. */
export interface Fill {
  /** Bytes that arrived so far. */
  readonly received: number;
  /** Settles when the registry's header fields are in: the length, if it was said. Rejects with an UpstreamRefusal or a RegistryError. */
  readonly started: Promise<{ readonly size: number | undefined }>;
  /** Settles when the blob is stored (true) or could be served but not stored (false). Rejects when it is wrong or cut. */
  readonly finished: Promise<boolean>;
  /** A cursor of its own; the last bytes come only after length and digest agree. */
  reader(range?: ByteRange): BlobReader;
}

/**
 * Where a fill gets its bytes. It is asked again with `from` after a cut, and then answers 206 from that byte on, or 200
 * with all of it.
 */
export type FillSource = (
  signal: AbortSignal,
  from?: number,
) => Promise<Pick<UpstreamResponse, 'status' | 'headers' | 'body'>>;

export interface BlobStore {
  /** Undefined when absent or not intact in size. */
  open(digest: Digest): Promise<StoredBlob | undefined>;
  fill(digest: Digest): Fill | undefined;
  /**
   * Joins the running fill or starts one. `registry` is who answers for a while for having sent wrong bytes; `share` says how
   * the fill waits for its turn, and whoever joins one that waits lets it wait in his own place as well.
   */
  startFill(digest: Digest, source: FillSource, registry: string, share: FillShare): Fill;
}

/** A manifest as the registry has it. `headers` are the registry's own of the GET that brought it. */
export interface CanonicalManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly headers: HeaderList;
}

export interface ManifestStore {
  get(digest: Digest): Promise<CanonicalManifest | undefined>;
  /** Resolves false when the bytes could not be stored; serving goes on. */
  put(manifest: CanonicalManifest): Promise<boolean>;
}

export type CacheStatus = 'hit' | 'miss' | 'stale' | 'bypass';

/** One finished request, without its query and header fields, which may hold credentials and upload state. */
export interface FinishedRequest {
  readonly id: string;
  /** Empty when no endpoint was found. */
  readonly endpoint: string;
  /** What was asked for; `invalid` when the target could not be parsed. */
  readonly kind: RouteKind | 'token' | 'invalid';
  readonly method: string;
  readonly path: string;
  /** By the upstream's name; undefined where a request is about none, or reached no endpoint. */
  readonly repository?: string;
  readonly status: number;
  readonly cache: CacheStatus | undefined;
  readonly bytesSent: number;
  readonly seconds: number;
  readonly client: string;
  /** Who asked, where the endpoint knows. */
  readonly user?: string;
  readonly userAgent: string | undefined;
  readonly fixes: readonly AppliedFix[];
  /** What the endpoint's policy on content did. */
  readonly policy?: PolicyMark;
  /** Why the answer could not be given, or not be completed. */
  readonly error?: unknown;
}

/** What the operator is told. */
export interface Telemetry {
  requestFinished(request: FinishedRequest): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
  /** Records an event for the audit log. Never throws, never waits. */
  audit(event: AuditEvent): void;
}

/** Remembers for a short time that a caller was allowed to read a repository. */
export interface Grants {
  has(upstream: string, repository: RepositoryName, identity: string): boolean;
  add(upstream: string, repository: RepositoryName, identity: string): void;
}

/** What a registry was found out to do wrong. `limit`: the number that goes with it, such as the most bytes of a body. */
export interface ProvenDefect {
  readonly limit?: number;
}

/**
 * Defects that registries were seen to have. They serve the fixes that are `auto` in the catalogue (`trigger:
 * 'proven-defect'`), which would burden a healthy registry: the first failure proves the defect and is repaired as far as
 * that is possible; while the proof is remembered (10 minutes from the last `prove`), the repair is made at once.
 * The pipeline asks `endpoint.fixes.mode(fix)` first: with `on` it proves and repairs, with `observe` it proves and
 * leaves the exchange alone, with `off` it does neither. Metric: `manifix_upstream_defects`.
 */
export interface Defects {
  /** The proof while it is remembered, else undefined. `upstream` is its name, `fix` the id of the fix. */
  proven(upstream: string, fix: string): ProvenDefect | undefined;
  /** The registry has just shown the defect. What `found` leaves out stays as it is remembered. */
  prove(upstream: string, fix: string, found?: ProvenDefect): void;
}

/** What registries want of those who ask them. */
export interface Challenges {
  /**
   * The challenge for a token or a password with which the registry answers `/v2/`, or else a question about this repository;
   * undefined when it wants nothing.
   */
  of(upstream: Upstream, repository?: RepositoryName): Promise<Challenge | undefined>;
}

/** `refused` carries the registry's status for this caller; `unreachable` the reason that nobody could ask. */
export type ReadAccess =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'refused'; readonly status: number; readonly headers: HeaderList }
  | { readonly outcome: 'unreachable'; readonly error: RegistryError };

/** Notes which endpoint uses which stored content, for the quotas of endpoints. */
export interface ContentUses {
  used(endpoint: string, kind: LinkKind, digest: Digest): void;
}

/** Questions to a registry that simultaneous requests of the same caller share. */
export interface SharedQuestions {
  readonly access: SingleFlight<ReadAccess>;
  /** Whether signatures exist; undefined when the registry did not say. */
  readonly signatures: SingleFlight<boolean | undefined>;
}

/** An answer of the registry that is not what was hoped for, in a form that several callers can share. */
export interface Refusal {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
}

/** A list as it was answered with 200. */
export interface KeptList {
  readonly headers: HeaderList;
  readonly bytes: Uint8Array;
  /** The fixes that had a part in it. */
  readonly applied: readonly AppliedFix[];
  /** When the registry was asked for it, in milliseconds since the epoch. */
  readonly confirmedAt: number;
}

/** What is remembered of registries for a while; their names may mean others after a reload, which forgets it. */
export interface Memories {
  /** What the registry lately said it does not have, by question and caller. */
  readonly absences: ShortMemory<Refusal>;
  /** Repositories that were lately open to tokens which everybody gets, so that to come without one is to be refused there. */
  readonly openToTokens: ShortMemory<object>;
  /** By upstream: how a registry lately said that it has no lists of referrers. */
  readonly withoutReferrers: ShortMemory<Refusal>;
  /** Upstreams of which the operator was lately told that they refuse the account of manifix. */
  readonly refusedAccounts: ShortMemory<object>;
  /** Lists of referrers, by question and caller. */
  readonly referrers: SizedMemory<KeptList>;
}

/** Everything the use cases work with. */
export interface Services extends Memories {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly facts: Facts;
  readonly tagHistory: TagHistory;
  readonly pins: Pins;
  readonly uses: ContentUses;
  readonly grants: Grants;
  readonly defects: Defects;
  readonly descriptors: Descriptors;
  readonly heads: HeadTrust;
  readonly challenges: Challenges;
  readonly telemetry: Telemetry;
  readonly questions: SharedQuestions;
  /** Pushes and deletes through manifix, by upstream and repository: what was asked before one says nothing about after it. */
  readonly changes: Versions;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Encrypts upload locations that lead away from the registry's own paths; 32 bytes. */
  readonly locationKey: Uint8Array;
}
