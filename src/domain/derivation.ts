import type { Digest } from './digest.ts';

/**
 * How a manifest that manifix keeps came from the one that the registry has. `as-pushed` is the other way round: what a client
 * pushed, of which the registry has a changed form.
 */
export type DerivationKind = 'media-type-added' | 'as-pushed' | 'converted' | 'relabelled';

const WARNINGS: Readonly<Record<DerivationKind, (original: Digest) => string>> = {
  'media-type-added': (original) => `manifix added mediaType; original digest ${original}`,
  'as-pushed': (original) => `manifix keeps this manifest as it was pushed; the registry has it as ${original}`,
  converted: (original) => `manifix converted this image from schema 1; original digest ${original}`,
  relabelled: (original) => `manifix gave this image other media types; original digest ${original}`,
};

/** What people are told of it, in the text of a Warning (distribution-spec, "Warnings"). */
export function describeDerivation(kind: DerivationKind, original: Digest): string {
  return WARNINGS[kind](original);
}
