import type { JsonDocument, JsonMember } from './json-scan.ts';

const KNOWN_KEYS = [
  'mediaType',
  'schemaVersion',
  'manifests',
  'config',
  'layers',
  'fsLayers',
  'history',
  'signatures',
  'subject',
] as const;

/** The top-level keys that decide what a manifest is. */
export type ManifestKey = (typeof KNOWN_KEYS)[number];

/**
 * Go's encoding/json matches keys under Unicode simple case folding (`manife\u017ft` is `manifest` to it), which is what the
 * flags `iu` do.
 */
const KEYS_IN_ANY_CASE = new RegExp(`^(?:${KNOWN_KEYS.map((key) => `(${key})`).join('|')})$`, 'iu');

export interface ManifestKeys {
  /** No key is repeated and none is a case variant of a known one, so that every parser reads the same manifest. */
  readonly exact: boolean;
  /** The last member with exactly this key, the one that JSON.parse keeps. */
  member(key: ManifestKey): JsonMember | undefined;
  /** Whether some parser finds the key: exactly, or in another case. */
  mentions(key: ManifestKey): boolean;
}

/** Reads the keys of a scanned JSON object as parsers with and without regard to case see them. */
export function manifestKeysOf(document: JsonDocument): ManifestKeys {
  const members = new Map<string, JsonMember>();
  const mentioned = new Set<ManifestKey>();
  let variants = 0;
  for (const member of document.members) {
    const known = knownKeyFor(member.key);
    if (known === undefined) continue;
    mentioned.add(known);
    if (member.key === known) members.set(known, member);
    else variants += 1;
  }
  return {
    exact: variants === 0 && document.repeatedKeys.length === 0,
    member: (key) => members.get(key),
    mentions: (key) => mentioned.has(key),
  };
}

function knownKeyFor(key: string): ManifestKey | undefined {
  const groups = KEYS_IN_ANY_CASE.exec(key)?.slice(1);
  return groups && KNOWN_KEYS[groups.findIndex((group) => group !== undefined)];
}
