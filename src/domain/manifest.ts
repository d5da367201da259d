import type { ManifestDescriptor } from './descriptor.ts';
import { type Digest, parseDigest } from './digest.ts';
import { type JsonDefect, type JsonKind, scanJson } from './json-scan.ts';
import { type ManifestKeys, manifestKeysOf } from './manifest-keys.ts';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  type MediaType,
  OCI_INDEX,
  OCI_MANIFEST,
  parseMediaType,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from './media-type.ts';

/**
 * What the structure says. `ambiguous` has `manifests` and also `config`, `layers` or `fsLayers`: two readings of one digest
 * (CVE-2021-41190). `unknown` is any other JSON object.
 */
export type ManifestShape = 'index' | 'image' | 'schema1' | 'ambiguous' | 'unknown' | 'not-json';

export interface ManifestInspection {
  /** `not-json`: anything but a JSON object, a JSON string or array included. */
  readonly shape: ManifestShape;
  /** Why the bytes are not JSON. */
  readonly defect?: JsonDefect;
  /** The kind of the top-level value when the bytes are JSON. */
  readonly jsonKind?: JsonKind;
  /** The manifest's own `mediaType`, when it is a lower-case media type and only one reading of the key exists. */
  readonly mediaType?: MediaType;
  /** What the bytes are; absent when that is in any doubt. */
  readonly type?: MediaType;
  /** Every parser reads the same top-level members: none repeated, no case variant of a key that matters. */
  readonly keysAreExact: boolean;
  readonly descriptors: readonly ManifestDescriptor[];
  readonly artifactType?: string;
  /** Digest of the manifest that this one refers to. */
  readonly subject?: Digest;
}

/** A descriptor or manifest as JSON.parse gives it: every member may be missing or of any type. */
type Parsed = Readonly<Record<string, unknown>>;

/**
 * Reads a manifest. The result depends on the bytes alone and never on what a registry calls them (image-spec,
 * "Media Type Conflicts"). Never throws.
 */
export function inspectManifest(bytes: Uint8Array): ManifestInspection {
  const document = scanJson(bytes);
  if ('defect' in document) {
    return { shape: 'not-json', defect: document.defect, keysAreExact: false, descriptors: [] };
  }
  const jsonKind = document.kind;
  if (jsonKind !== 'object') return { shape: 'not-json', jsonKind, keysAreExact: true, descriptors: [] };

  const manifest = JSON.parse(document.text) as Parsed;
  const keys = manifestKeysOf(document);
  const shape = shapeOf(keys, manifest.schemaVersion);
  const mediaType = keys.exact ? ownMediaType(manifest.mediaType) : undefined;
  const type = keys.exact ? typeOf(shape, manifest) : undefined;
  const descriptors = descriptorsOf(manifest);
  const subject = descriptors.find(({ role }) => role === 'subject')?.digest;
  return {
    shape,
    jsonKind,
    ...(mediaType && { mediaType }),
    ...(type && { type }),
    keysAreExact: keys.exact,
    descriptors,
    ...(typeof manifest.artifactType === 'string' && { artifactType: manifest.artifactType }),
    ...(subject && { subject }),
  };
}

function shapeOf(keys: ManifestKeys, schemaVersion: unknown): ManifestShape {
  const imageKeys = keys.mentions('config') || keys.mentions('layers');
  if (keys.mentions('manifests')) {
    if (imageKeys || keys.mentions('fsLayers')) return 'ambiguous';
    return keys.member('manifests')?.kind === 'array' ? 'index' : 'unknown';
  }
  if (imageKeys) {
    const complete = keys.member('config')?.kind === 'object' && keys.member('layers')?.kind === 'array';
    return complete && !keys.mentions('fsLayers') ? 'image' : 'unknown';
  }
  return keys.mentions('fsLayers') || schemaVersion === 1 ? 'schema1' : 'unknown';
}

function ownMediaType(value: unknown): MediaType | undefined {
  const parsed = typeof value === 'string' ? parseMediaType(value) : undefined;
  return parsed === value ? parsed : undefined;
}

function typeOf(shape: ManifestShape, manifest: Parsed): MediaType | undefined {
  const structural = structuralTypeOf(shape, manifest);
  // Go reads null and the empty string as an absent member.
  const own = manifest.mediaType ?? '';
  if (structural === undefined || own === '') return structural;
  const mediaType = ownMediaType(own);
  return sameFamily(mediaType, structural) ? mediaType : undefined;
}

function structuralTypeOf(shape: ManifestShape, manifest: Parsed): MediaType | undefined {
  // Parsers that look at the version first take these for schema 1.
  if (shape !== 'schema1' && manifest.schemaVersion === 1) return undefined;
  switch (shape) {
    case 'index':
      return OCI_INDEX;
    case 'image':
      return (manifest.config as Parsed).mediaType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST;
    case 'schema1':
      return manifest.signatures === undefined ? SCHEMA1 : SCHEMA1_SIGNED;
    default:
      return undefined;
  }
}

function sameFamily(a: MediaType | undefined, b: MediaType): boolean {
  return [isIndexType, isImageManifestType, isSchema1Type].some((isMember) => isMember(a) && isMember(b));
}

function descriptorsOf(manifest: Parsed): readonly ManifestDescriptor[] {
  return [
    ...oneOf(manifest.config).map((value, position) => descriptorOf('config', value, position)),
    ...listOf(manifest.layers).map((value, position) => descriptorOf('layer', value, position)),
    ...listOf(manifest.manifests).map((value, position) => descriptorOf('child', value, position)),
    ...oneOf(manifest.subject).map((value, position) => descriptorOf('subject', value, position)),
  ];
}

function oneOf(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function descriptorOf(role: ManifestDescriptor['role'], value: unknown, position: number): ManifestDescriptor {
  if (!isMembers(value)) return { role, position };
  const { mediaType, digest: digestText, size, platform: platformValue, annotations } = value;
  const digest = typeof digestText === 'string' ? parseDigest(digestText) : undefined;
  const platform = isMembers(platformValue) ? platformOf(platformValue) : undefined;
  return {
    role,
    position,
    ...(typeof mediaType === 'string' && { mediaType }),
    ...(digest && { digest }),
    ...(isSize(size) && { size }),
    ...(platform && { platform }),
    ...(isAttestation(annotations) && { attestation: true }),
  };
}

function isMembers(value: unknown): value is Parsed {
  return typeof value === 'object' && value !== null;
}

function isAttestation(annotations: unknown): boolean {
  return isMembers(annotations) && annotations['vnd.docker.reference.type'] === 'attestation-manifest';
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function platformOf({ os, architecture, variant }: Parsed): string | undefined {
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return typeof variant === 'string' && variant !== '' ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}
