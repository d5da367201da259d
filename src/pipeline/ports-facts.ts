import type { DerivationKind } from '../domain/derivation.ts';
import type { Digest } from '../domain/digest.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { RepositoryName, Tag } from '../domain/reference.ts';
import type { Referrer, ReferrerDescriptor } from '../domain/referrers.ts';
import type { Pin, SeenTag, Sighting } from '../domain/tag-history.ts';

// What the use cases need to remember durably, in their own words; `store` fits these shapes.

export interface TagRecord {
  readonly digest: Digest;
  /** When the registry last confirmed it, in milliseconds since the epoch. */
  readonly confirmedAt: number;
}

/** A config that belongs to a derived manifest. */
export interface KeptConfig {
  readonly original: Digest;
  readonly bytes: Uint8Array;
}

/** A manifest that manifix keeps beside the registry's `original`, as long as that lives: changed for requests by tag, or as it was pushed. */
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

/** Small durable facts. All calls are synchronous and fast; writes are durable when the call returns. */
export interface Facts {
  /**
   * What the registry wants of callers without credentials, as values of `WWW-Authenticate`: none when it wants nothing, undefined
   * when that is not known.
   */
  demands(upstream: string): readonly string[] | undefined;
  putDemands(upstream: string, challenges: readonly string[]): void;
  tag(upstream: string, repository: RepositoryName, tag: Tag, view: string): TagRecord | undefined;
  putTag(upstream: string, repository: RepositoryName, tag: Tag, view: string, record: TagRecord): void;
  /** Forgets what all views of the tag said, or all tags of the repository when no tag is named. */
  dropTags(upstream: string, repository: RepositoryName, tag?: Tag): void;
  /** Notes that a tag was pulled, in milliseconds since the epoch; the hour is what is kept. */
  putPull(upstream: string, repository: RepositoryName, tag: Tag, at: number): void;
  /** Whether the registry was seen to hold this content in this repository; `open` when a caller without credentials saw it. */
  link(upstream: string, repository: RepositoryName, kind: LinkKind, digest: Digest): 'open' | 'private' | undefined;
  /** Some of the repositories in which the registry was seen to hold this content. */
  linkedIn(upstream: string, kind: LinkKind, digest: Digest): readonly RepositoryName[];
  putLink(
    upstream: string,
    repository: RepositoryName,
    kind: LinkKind,
    digest: Digest,
    access: 'open' | 'private',
  ): void;
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
  /** Whether signatures or referrers of this original are known: true, false, or undefined when nobody looked. */
  signed(upstream: string, repository: RepositoryName, original: Digest): boolean | undefined;
  putSigned(upstream: string, repository: RepositoryName, original: Digest, signed: boolean): void;
  /** The recorded manifests that refer to a subject; undefined when that cannot be known. */
  referrers(upstream: string, repository: RepositoryName, subject: Digest): readonly ReferrerDescriptor[] | undefined;
  /** Throws when the record is not safe. */
  putReferrer(upstream: string, repository: RepositoryName, referrer: Referrer): void;
  dropReferrer(upstream: string, repository: RepositoryName, digest: Digest): void;
}

/** What tags meant, and when, for all endpoints of an upstream. */
export interface TagHistory {
  of(upstream: string, repository: RepositoryName, tag: Tag): readonly Sighting[];
  /** Records that a tag was seen to mean a digest. */
  note(upstream: string, repository: RepositoryName, tag: Tag, seen: SeenTag): void;
}

/** What operators fixed tags to by command, for all endpoints of an upstream. */
export interface Pins {
  of(upstream: string, repository: RepositoryName, tag: Tag): Pin | undefined;
}
