import { type JsonDocument, type JsonMember, scanElements, scanJson } from './json-scan.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, type MediaType, OCI_MANIFEST } from './media-type.ts';

export type ImageFamily = 'docker' | 'oci';

/** The media types that mean the same (image-spec, "Compatibility Matrix"): Docker's, then OCI's. */
const PAIRS: readonly (readonly [docker: string, oci: string])[] = [
  [DOCKER_MANIFEST, OCI_MANIFEST],
  [DOCKER_CONFIG, 'application/vnd.oci.image.config.v1+json'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'application/vnd.oci.image.layer.v1.tar'],
  [
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ],
];

const MANIFEST_KEYS = ['schemaVersion', 'mediaType', 'config', 'layers'];
const DESCRIPTOR_KEYS = ['mediaType', 'digest', 'size', 'urls'];

/** containers/image, oras and most registries refuse larger manifests. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024;

/** Text that replaces the bytes from `start` up to `end`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Why something cannot be expressed in the other family. */
type Objection = string;

/**
 * Gives an image manifest, its config and its layers the media types of the other family, and leaves every other byte as it is.
 * A pure function of the bytes. `declined` says what cannot be expressed there.
 */
export function relabelImage(
  bytes: Uint8Array,
  to: ImageFamily,
): { readonly bytes: Uint8Array; readonly mediaType: MediaType } | { readonly declined: string } {
  const edits = editsOf(bytes, to);
  const declined = edits.find((edit) => typeof edit === 'string');
  if (declined !== undefined) return { declined };
  const result = applied(
    bytes,
    edits.filter((edit) => typeof edit !== 'string'),
  );
  if (result.length > MAX_RESULT_BYTES) return { declined: 'the result would exceed 4 MiB' };
  return { bytes: result, mediaType: to === 'docker' ? DOCKER_MANIFEST : OCI_MANIFEST };
}

/** Whether a client that names these manifest types reads an image of the family; one that names none reads what comes. */
export function acceptsImageOf(family: ImageFamily, named: readonly string[]): boolean {
  return named.length === 0 || named.includes(family === 'docker' ? DOCKER_MANIFEST : OCI_MANIFEST);
}

function editsOf(bytes: Uint8Array, to: ImageFamily): readonly (Edit | Objection)[] {
  const document = objectIn(bytes, MANIFEST_KEYS, 'the manifest');
  if (typeof document === 'string') return [document];
  const config = memberOf(document, 'config');
  const layers = memberOf(document, 'layers');
  if (config === undefined || layers?.kind !== 'array') return ['it is no image manifest'];
  const elements = scanElements(bytes.subarray(layers.valueStart, layers.valueEnd));
  return [
    ownType(document, bytes, to),
    descriptorEdit(bytes, config.valueStart, config.valueEnd, to, 'the config'),
    ...elements.map(({ valueStart, valueEnd }, position) =>
      descriptorEdit(bytes, layers.valueStart + valueStart, layers.valueStart + valueEnd, to, `layer ${position + 1}`),
    ),
  ];
}

/** The manifest's own type, which it may lack in OCI and may not in Docker's. */
function ownType(document: JsonDocument, bytes: Uint8Array, to: ImageFamily): Edit | Objection {
  const type = to === 'docker' ? DOCKER_MANIFEST : OCI_MANIFEST;
  const member = memberOf(document, 'mediaType');
  if (member !== undefined) return typeEdit(bytes, 0, member, to, 'the manifest');
  return { start: document.start + 1, end: document.start + 1, text: `"mediaType":"${type}",` };
}

function descriptorEdit(
  bytes: Uint8Array,
  start: number,
  end: number,
  to: ImageFamily,
  what: string,
): Edit | Objection {
  const descriptor = objectIn(bytes.subarray(start, end), DESCRIPTOR_KEYS, what);
  if (typeof descriptor === 'string') return descriptor;
  const member = memberOf(descriptor, 'mediaType');
  return member === undefined ? `${what} has no mediaType` : typeEdit(bytes, start, member, to, what);
}

function typeEdit(
  bytes: Uint8Array,
  offset: number,
  member: JsonMember,
  to: ImageFamily,
  what: string,
): Edit | Objection {
  const [start, end] = [offset + member.valueStart, offset + member.valueEnd];
  const written = Buffer.from(bytes.subarray(start, end)).toString();
  const pair = PAIRS.find((types) => types.some((type) => written === `"${type}"`));
  if (pair === undefined) return `${what} is ${written}, which has no counterpart`;
  return { start, end, text: `"${to === 'docker' ? pair[0] : pair[1]}"` };
}

/** An object with no other keys: `annotations`, `subject`, `artifactType` and `data` say what the other family cannot. */
function objectIn(bytes: Uint8Array, known: readonly string[], what: string): JsonDocument | Objection {
  const document = scanJson(bytes);
  if ('defect' in document || document.kind !== 'object') return `${what} is not a JSON object`;
  if (document.repeatedKeys.length > 0) return `${what} repeats a key`;
  const other = document.members.find(({ key }) => !known.includes(key));
  return other === undefined ? document : `${what} has ${other.key}`;
}

function memberOf({ members }: JsonDocument, name: string): JsonMember | undefined {
  return members.find(({ key }) => key === name);
}

function applied(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(at, start), Buffer.from(text));
    at = end;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}
