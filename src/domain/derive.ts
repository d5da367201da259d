import { parseDigest } from './digest.ts';
import { type JsonDocument, type JsonValue, scanElements, scanJson } from './json-scan.ts';
import { type ManifestKey, type ManifestKeys, manifestKeysOf } from './manifest-keys.ts';
import { type MediaType, OCI_INDEX, OCI_MANIFEST } from './media-type.ts';

/** containers/image, oras and most registries refuse larger manifests. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024;

/** Always the OCI type: a Docker manifest must carry its own, so one without is not Docker's. */
const TYPES = { index: OCI_INDEX, image: OCI_MANIFEST } as const;

const FOREIGN_KEYS: Readonly<Record<'index' | 'image', readonly ManifestKey[]>> = {
  index: ['config', 'layers', 'fsLayers', 'history', 'signatures'],
  image: ['manifests', 'fsLayers', 'history', 'signatures'],
};

const ASCII = new TextDecoder('latin1');

/**
 * Inserts the missing `mediaType` right after the first `{` of an index or image manifest and leaves every other byte as it
 * is. A pure function of the bytes. `declined` says why the bytes were left alone: the manifest has a media type, is not
 * what `shape` says, could be read in two ways, or would grow beyond 4 MiB.
 */
export function addMediaType(
  bytes: Uint8Array,
  shape: 'index' | 'image',
): { readonly bytes: Uint8Array; readonly mediaType: MediaType } | { readonly declined: string } {
  const document = scanJson(bytes);
  if ('defect' in document) return { declined: `the manifest is not plain JSON (${document.defect})` };
  const mediaType = TYPES[shape];
  const inserted = new TextEncoder().encode(`"mediaType":"${mediaType}",`);
  const declined = objection(bytes, document, shape);
  if (declined !== undefined) return { declined };
  if (bytes.length + inserted.length > MAX_RESULT_BYTES) return { declined: 'the result would exceed 4 MiB' };
  const at = document.start + 1;
  const result = new Uint8Array(bytes.length + inserted.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(bytes.subarray(at), at + inserted.length);
  return { bytes: result, mediaType };
}

function objection(bytes: Uint8Array, document: JsonDocument, shape: 'index' | 'image'): string | undefined {
  if (document.kind !== 'object') return 'the manifest is not a JSON object';
  const keys = manifestKeysOf(document);
  if (!keys.exact) return 'a key is repeated or written in another case';
  if (keys.member('mediaType')) return 'the manifest has a mediaType';
  const version = keys.member('schemaVersion');
  if (!version || rawText(bytes, version) !== '2') return 'schemaVersion is not the integer 2';
  const foreign = FOREIGN_KEYS[shape].find((key) => keys.member(key));
  if (foreign) return `an ${shape} has no ${foreign}`;
  return shape === 'index' ? indexObjection(bytes, keys) : imageObjection(bytes, keys);
}

function indexObjection(bytes: Uint8Array, keys: ManifestKeys): string | undefined {
  const manifests = keys.member('manifests');
  if (manifests?.kind !== 'array') return 'manifests is not an array';
  return allDescriptors(bytes, manifests) ? undefined : 'an entry of manifests is not a complete descriptor';
}

function imageObjection(bytes: Uint8Array, keys: ManifestKeys): string | undefined {
  const config = keys.member('config');
  const layers = keys.member('layers');
  if (config?.kind !== 'object') return 'config is not an object';
  if (layers?.kind !== 'array') return 'layers is not an array';
  if (!isDescriptor(slice(bytes, config))) return 'config is not a complete descriptor';
  return allDescriptors(bytes, layers) ? undefined : 'an entry of layers is not a complete descriptor';
}

function allDescriptors(bytes: Uint8Array, array: JsonValue): boolean {
  const arrayBytes = slice(bytes, array);
  return scanElements(arrayBytes).every((element) => isDescriptor(slice(arrayBytes, element)));
}

/** Exactly one string `mediaType`, one digest and one size that every parser reads alike. */
function isDescriptor(bytes: Uint8Array): boolean {
  const document = scanJson(bytes);
  if ('defect' in document || document.kind !== 'object' || document.repeatedKeys.length > 0) return false;
  const { mediaType, digest } = JSON.parse(document.text) as { mediaType?: unknown; digest?: unknown };
  const size = document.members.find(({ key }) => key === 'size');
  return (
    typeof mediaType === 'string' &&
    typeof digest === 'string' &&
    parseDigest(digest) !== undefined &&
    size !== undefined &&
    isWholeNumber(rawText(bytes, size))
  );
}

function isWholeNumber(text: string): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
}

function slice(bytes: Uint8Array, value: JsonValue): Uint8Array {
  return bytes.subarray(value.valueStart, value.valueEnd);
}

function rawText(bytes: Uint8Array, value: JsonValue): string {
  return ASCII.decode(slice(bytes, value));
}
