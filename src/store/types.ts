import type { Readable } from 'node:stream';
import type { DerivationKind } from '../domain/derivation.ts';
import type { Digest } from '../domain/digest.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { RepositoryName, Tag } from '../domain/reference.ts';
import type { Referrer, ReferrerDescriptor } from '../domain/referrers.ts';

// The store's side of the ports that the use cases declare: the same shapes, joined in app.ts.

/** A registry's answer; `headers` describe the bytes of `body`. */
export interface SourceResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable;
}

/**
 * Asks the registry for a blob, from its first byte or, after a cut, from byte `from` on (`Range: bytes=<from>-`). An answer
 * 200 to the latter is fine. `signal` aborts when nobody wants the answer any more.
 */
export type FillSource = (signal: AbortSignal, from?: number) => Promise<SourceResponse>;

/** Verified bytes of a blob, or those of a running fill, as one client reads them. */
export interface BlobReader {
  /**
   * The next bytes, or undefined at the end. A chunk is valid until the next call; one call at a time. Rejects when the bytes
   * cannot be completed.
   */
  next(): Promise<Uint8Array | undefined>;
  /** Frees what the reader holds; safe to call twice and at any time. The chunk handed out last stays valid. */
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
  /** Readers that are open go on. */
  close(): void;
}

/** What is known of a blob before its bytes: the length, when the registry said it. */
export interface FillHead {
  readonly size: number | undefined;
  /** The registry's own; empty when the blob turned out to be stored. */
  readonly headers: HeaderList;
}

/** The one download of a cold blob that all its readers share. */
export interface Fill {
  /** Bytes that arrived so far. */
  readonly received: number;
  /** Settles with the header fields. Rejects with an UpstreamRefusal or a RegistryError. */
  readonly started: Promise<FillHead>;
  /** True when the blob is stored, false when it was right but could not be stored. Rejects when it is wrong or cut. */
  readonly finished: Promise<boolean>;
  /** A cursor of its own. Its last 64 KiB at most come only after length and digest of the whole blob agree. */
  reader(range?: ByteRange): BlobReader;
}

export interface BlobStore {
  /** Undefined when absent or not intact. Rejects only when the process is out of file descriptors. */
  open(digest: Digest): Promise<StoredBlob | undefined>;
  fill(digest: Digest): Fill | undefined;
  /**
   * Joins the running fill or starts one, which begins as soon as it is the turn of one of those who joined. A blob that was
   * stored in the meantime is served without asking `source`. `registry` is who answers for a while for having sent wrong bytes.
   */
  startFill(digest: Digest, source: FillSource, registry?: string, share?: FillShare): Fill;
}

/** On whose account a download runs. */
export interface FillShare {
  /** Groups take turns when all places are taken. */
  readonly group: string;
  /** Whose place in the queue of the group it is. */
  readonly client: string;
  /** Waits for a place of the client's own, and resolves with the function that frees it. */
  readonly enter?: (signal: AbortSignal) => Promise<() => void>;
}

export interface CanonicalManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly headers: HeaderList;
}

export interface ManifestStore {
  get(digest: Digest): Promise<CanonicalManifest | undefined>;
  /** Resolves false when the bytes could not be stored. The headers that came first stay. */
  put(manifest: CanonicalManifest): Promise<boolean>;
}

export interface TagRecord {
  readonly digest: Digest;
  readonly confirmedAt: number;
}

export interface KeptConfig {
  readonly original: Digest;
  readonly bytes: Uint8Array;
}

export interface DerivedManifest {
  readonly digest: Digest;
  readonly original: Digest;
  readonly bytes: Uint8Array;
  readonly mediaType: MediaType;
  readonly kind: DerivationKind;
  /** The config that it names and no registry has. */
  readonly config?: { readonly digest: Digest; readonly bytes: Uint8Array };
}

export type LinkKind = 'manifest' | 'blob';
export type LinkAccess = 'open' | 'private';

/**
 * Small durable facts; synchronous. A database that fails answers undefined. `putDerived` and `putReferrer` throw when the record
 * could not be made to survive a loss of power; what the other calls write survives the end of the process.
 */
export interface Facts {
  /**
   * What is known under an upstream's name is about this registry, as this account sees it: of another one, demands, tags with
   * their history, links and signatures go.
   */
  bindUpstream(name: string, registry: string): void;
  /** What the registry wants of callers without credentials; undefined when that is not known. */
  demands(upstream: string): readonly string[] | undefined;
  /** Of an upstream that is bound to a registry. */
  putDemands(upstream: string, challenges: readonly string[]): void;
  tag(upstream: string, repository: RepositoryName, tag: Tag, view: string): TagRecord | undefined;
  putTag(upstream: string, repository: RepositoryName, tag: Tag, view: string, record: TagRecord): void;
  dropTags(upstream: string, repository: RepositoryName, tag?: Tag): void;
  /** Notes that a tag was pulled: a row is written at most once an hour. */
  putPull(upstream: string, repository: RepositoryName, tag: Tag, at: number): void;
  link(upstream: string, repository: RepositoryName, kind: LinkKind, digest: Digest): LinkAccess | undefined;
  linkedIn(upstream: string, kind: LinkKind, digest: Digest): readonly RepositoryName[];
  putLink(upstream: string, repository: RepositoryName, kind: LinkKind, digest: Digest, access: LinkAccess): void;
  dropLink(upstream: string, repository: RepositoryName, kind: LinkKind, digest: Digest): void;
  derived(upstream: string, repository: RepositoryName, digest: Digest): DerivedManifest | undefined;
  putDerived(upstream: string, repository: RepositoryName, manifest: DerivedManifest): void;
  /** What was derived from an original in this way. */
  derivedFrom(
    upstream: string,
    repository: RepositoryName,
    original: Digest,
    kind: DerivationKind,
  ): DerivedManifest | undefined;
  keptConfig(upstream: string, repository: RepositoryName, digest: Digest): KeptConfig | undefined;
  /** Drops all that was derived from an original. */
  dropDerived(upstream: string, repository: RepositoryName, original: Digest): void;
  signed(upstream: string, repository: RepositoryName, original: Digest): boolean | undefined;
  putSigned(upstream: string, repository: RepositoryName, original: Digest, signed: boolean): void;
  /** The recorded manifests that refer to a subject; undefined when that cannot be known. */
  referrers(upstream: string, repository: RepositoryName, subject: Digest): readonly ReferrerDescriptor[] | undefined;
  /** Throws when the record is not safe. */
  putReferrer(upstream: string, repository: RepositoryName, referrer: Referrer): void;
  dropReferrer(upstream: string, repository: RepositoryName, digest: Digest): void;
}
