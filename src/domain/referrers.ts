import { type Digest, parseDigest } from './digest.ts';
import { type ListDocument, parseList } from './list.ts';
import { inspectManifest } from './manifest.ts';
import { isImageManifestType, type MediaType, OCI_INDEX } from './media-type.ts';
import type { Tag } from './reference.ts';

/** What a list of referrers says of one manifest (distribution-spec, "Listing Referrers"). */
export interface ReferrerDescriptor {
  readonly mediaType: MediaType;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest that refers to another one. */
export interface Referrer {
  readonly subject: Digest;
  readonly descriptor: ReferrerDescriptor;
}

/** An entry of a list of referrers that others wrote; nothing but its digest was checked. */
export type ListedReferrer = Readonly<Record<string, unknown>> & { readonly digest: Digest };

/** By these statuses registries say that they have no referrers API; one that has it answers no request for it so. */
const NO_API: ReadonlySet<number> = new Set([404, 405, 501]);

/** Whether a status is the answer of a registry without the referrers API. */
export function lacksReferrersApi(status: number): boolean {
  return NO_API.has(status);
}

/** The same where nobody asks twice: some registries say it with statuses that mean something else elsewhere. */
export function mayLackReferrersApi(status: number): boolean {
  return lacksReferrersApi(status) || status === 400 || status === 406;
}

/** The referrer that a manifest is; undefined when it has no subject, or when its type is in doubt. */
export function referrerOf(bytes: Uint8Array, digest: Digest): Referrer | undefined {
  const { type, subject, artifactType, descriptors } = inspectManifest(bytes);
  const document = parseList(bytes);
  if (document === undefined || type === undefined || subject === undefined) return undefined;
  // An image without an artifactType is told by its config; an index has none to be told by.
  const config = isImageManifestType(type) ? descriptors.find(({ role }) => role === 'config')?.mediaType : undefined;
  const known = artifactType || config;
  const annotations = annotationsOf(document);
  return {
    subject,
    descriptor: {
      mediaType: type,
      digest,
      size: bytes.length,
      ...(known === undefined ? {} : { artifactType: known }),
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    },
  };
}

function annotationsOf({ annotations }: ListDocument): readonly [string, string][] {
  if (typeof annotations !== 'object' || annotations === null) return [];
  return Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** The tag under which clients keep the referrers of a digest (distribution-spec, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): Tag {
  const at = subject.indexOf(':');
  // What a digest consists of is allowed in tags, and so is a hyphen.
  return `${subject.slice(0, at)}-${subject.slice(at + 1, at + 65)}` as Tag;
}

/** The entries of an index as clients keep it under the fallback tag. */
export function listedReferrers(bytes: Uint8Array): readonly ListedReferrer[] {
  const manifests = parseList(bytes)?.manifests;
  return Array.isArray(manifests) ? manifests.flatMap(listed) : [];
}

function listed(item: unknown): ListedReferrer | [] {
  if (typeof item !== 'object' || item === null || !('digest' in item) || typeof item.digest !== 'string') return [];
  const digest = parseDigest(item.digest);
  return digest === undefined ? [] : { ...item, digest };
}

/** Each digest once; of several entries the first counts. */
export function distinctReferrers(referrers: readonly ListedReferrer[]): readonly ListedReferrer[] {
  const byDigest = new Map<Digest, ListedReferrer>();
  for (const referrer of referrers) if (!byDigest.has(referrer.digest)) byDigest.set(referrer.digest, referrer);
  return [...byDigest.values()];
}

/** Those of one `artifactType`, when one is asked for. */
export function ofArtifactType(
  referrers: readonly ListedReferrer[],
  artifactType: string | undefined,
): readonly ListedReferrer[] {
  return artifactType === undefined
    ? referrers
    : referrers.filter((referrer) => referrer.artifactType === artifactType);
}

/** The index of referrers, of one `artifactType` when that is asked for. */
export function referrersIndex(referrers: readonly ListedReferrer[], artifactType: string | undefined): ListDocument {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: ofArtifactType(referrers, artifactType) };
}
