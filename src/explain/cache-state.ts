import type { Digest } from '../domain/digest.ts';
import { parseReference } from '../domain/reference.ts';
import { type Completeness, completenessOf } from '../store/completeness.ts';
import type { Holdings } from '../store/holdings.ts';

/** What the running manifix has cached of a reference. Times are in ISO 8601. */
export interface CacheState {
  /** What the tag meant to each kind of Accept, the latest first; empty for a digest. */
  readonly tags: readonly { readonly view: string; readonly digest: Digest; readonly confirmed: string }[];
  /** What the tag is pinned to by command, and what it meant before. */
  readonly earlier: readonly Digest[];
  readonly derived: readonly Digest[];
  /** What the digest asked for was derived from. */
  readonly original: Digest | null;
  /** `open`: a caller without credentials has read it. */
  readonly access: 'open' | 'private' | null;
  /** Null when nothing is known of it. */
  readonly content: Completeness | null;
}

/** Looks up what is cached of a reference, and changes nothing. */
export function cacheStateOf(holdings: Holdings, upstream: string, repository: string, text: string): CacheState {
  const reference = parseReference(text);
  const tags = reference?.kind === 'tag' ? holdings.tags(upstream, repository, reference.tag) : [];
  const earlier = reference?.kind === 'tag' ? earlierDigests(holdings, upstream, repository, reference.tag) : [];
  const asked = reference?.kind === 'digest' ? reference.digest : tags[0]?.digest;
  const original = asked && holdings.originalOf(upstream, repository, asked);
  // What was derived is made again from what the registry has.
  const digest = original ?? asked;
  const told = tags.map(({ view, digest, confirmedAt }) => ({
    view,
    digest,
    confirmed: new Date(confirmedAt).toISOString(),
  }));
  if (digest === undefined) return { tags: told, earlier, derived: [], original: null, access: null, content: null };
  const isKnown = holdings.size('manifest', digest) !== undefined;
  return {
    tags: told,
    earlier,
    derived: holdings.derivedFrom(upstream, repository, digest),
    original: original ?? null,
    access: holdings.access(upstream, repository, 'manifest', digest) ?? null,
    content: isKnown ? completenessOf(holdings, upstream, repository, digest) : null,
  };
}

/** As many as anybody may want to go back to. */
const MAX_EARLIER = 10;

function earlierDigests(holdings: Holdings, upstream: string, repository: string, tag: string): readonly Digest[] {
  const meant = holdings.history(upstream, repository, tag).slice(0, MAX_EARLIER);
  const pinned = holdings.pinOf(upstream, repository, tag);
  return [...(pinned === undefined ? [] : [pinned]), ...meant.map(({ digest }) => digest)];
}
