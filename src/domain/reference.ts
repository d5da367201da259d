import { type Digest, parseDigest } from './digest.ts';

declare const repositoryBrand: unique symbol;
declare const tagBrand: unique symbol;

/** A repository name in the grammar of distribution-spec, "Pulling manifests". */
export type RepositoryName = string & { readonly [repositoryBrand]: true };

/** A tag in the grammar of distribution-spec, "Pulling manifests". */
export type Tag = string & { readonly [tagBrand]: true };

/** What stands behind `/manifests/`. */
export type Reference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** Many clients cap host and name together at 255 characters; registries cap the name. */
const MAX_NAME_LENGTH = 255;
const NAME_FORM = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG_FORM = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** The name when it is within the grammar and 255 characters, undefined otherwise. */
export function parseRepositoryName(text: string): RepositoryName | undefined {
  return text.length <= MAX_NAME_LENGTH && NAME_FORM.test(text) ? (text as RepositoryName) : undefined;
}

/** The tag when it is within the grammar, undefined otherwise. */
export function parseTag(text: string): Tag | undefined {
  return TAG_FORM.test(text) ? (text as Tag) : undefined;
}

/** Reads a tag or a digest; undefined when it is neither. */
export function parseReference(text: string): Reference | undefined {
  const digest = parseDigest(text);
  if (digest) return { kind: 'digest', digest };
  const tag = parseTag(text);
  return tag && { kind: 'tag', tag };
}

/** The text that `parseReference` reads back. */
export function formatReference(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}
