import { type Digest, parseDigest } from './digest.ts';

/** By cosign; without one it is the fallback tag of the referrers API (distribution-spec, "Referrers Tag Schema"). */
const SUFFIXES = ['.sig', '.att', '.sbom', ''];

/** The names of the tags under which signatures and whatever else belongs to a digest are kept. */
export function attachmentTags(digest: Digest): readonly string[] {
  return SUFFIXES.map((suffix) => `${digest.replace(':', '-')}${suffix}`);
}

const ATTACHMENT = /^(sha(?:256|384|512))-([0-9a-f]+)(?:\.(?:sig|att|sbom))?$/;

/** The digest to which a tag of that name belongs; undefined for any other. */
export function attachedTo(tag: string): Digest | undefined {
  const [, algorithm, hex] = ATTACHMENT.exec(tag) ?? [];
  return parseDigest(`${algorithm}:${hex}`);
}
