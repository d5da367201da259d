import { parseErrors } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import type { JsonDefect, JsonKind } from '../domain/json-scan.ts';
import { isImageManifestType, isIndexType } from '../domain/media-type.ts';
import type { RequestView } from './fix.ts';

type PushedManifest = NonNullable<RequestView['manifest']>;

/** Enough to recognise what a body is. */
const READ_BYTES = 512;
const SHOWN_CHARACTERS = 40;

const SEND_FILE = 'Send the file itself: curl --data-binary @manifest.json.';

/** A variable or a command that the shell left as it is, with or without quotes that became part of the body. */
const UNEXPANDED = /^"?(\$(?:\{?[A-Za-z_]\w*\}?|\([^()]*\)))"?$/;

/** Bodies that are not JSON, by how they begin; the first that matches speaks. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [
    /^</,
    'The body is HTML or XML: what fetched it got a page, perhaps for login or of an error. Look at that answer first, and let curl -f fail on errors.',
  ],
  [/^--/, `The body is a multipart form, as curl -F makes it; a manifest is sent alone. ${SEND_FILE}`],
  [/^[\w.-]+=/, `The body is a form, a name in front of =; a manifest is sent alone. ${SEND_FILE}`],
  [/^%7B/i, `The body is percent-encoded, as forms are; a manifest is sent as it is. ${SEND_FILE}`],
  [/^@/, `The body is the name of a file and not its content. ${SEND_FILE}`],
];

/** What is wrong with the body of a manifest that a registry called invalid; undefined when nothing is to be seen in it. */
export function explainManifestBody({ manifest, headers }: RequestView): string | undefined {
  if (manifest === undefined) return undefined;
  const { bytes, inspection } = manifest;
  if (bytes.length === 0) {
    return `An empty body arrived instead of a manifest: an unset variable or an unreadable file sends nothing. ${SEND_FILE}`;
  }
  const beginning = beginningOf(bytes);
  const unexpanded = UNEXPANDED.exec(beginning)?.[1];
  if (unexpanded !== undefined) {
    return `The body is the text ${shown(beginning)} and not a manifest: single quotes kept the shell from putting the value of ${unexpanded} there. Use double quotes around it alone, or better, since the shell drops newlines, a file: curl --data-binary @manifest.json.`;
  }
  if (inspection.defect !== undefined) return explainDefect(inspection.defect, bytes, beginning);
  if (inspection.jsonKind !== undefined && inspection.jsonKind !== 'object') {
    return explainOtherJson(inspection.jsonKind, beginning);
  }
  return explainObject(manifest, headerValue(headers, 'Content-Type'));
}

function explainDefect(defect: JsonDefect, bytes: Uint8Array, beginning: string): string {
  switch (defect) {
    case 'byte-order-mark':
      return `The body begins with a byte order mark (EF BB BF), which JSON does not allow. Save the manifest as UTF-8 without it.`;
    case 'not-utf8':
      return isUtf16(bytes)
        ? 'The body is UTF-16, as PowerShell writes it with >. Save the manifest as UTF-8 without a byte order mark.'
        : `The body is not UTF-8 text, so it is not JSON: it is compressed, or in another encoding. ${SEND_FILE}`;
    case 'too-deep':
      return 'The JSON of the body is nested far more deeply than any manifest.';
    case 'trailing-data':
      return 'Something follows the manifest in the body. Send one JSON object and nothing else.';
    case 'syntax':
      return explainSyntax(bytes, beginning);
  }
}

function explainSyntax(bytes: Uint8Array, beginning: string): string {
  const known = BEGINNINGS.find(([form]) => form.test(beginning));
  if (known !== undefined) return known[1];
  if (beginning.startsWith('{') && !endsWithBrace(bytes)) {
    return `The body is the beginning of a JSON object and ends after ${bytes.length} bytes. A Content-Length that is too small cuts bodies off: leave it to the client. ${SEND_FILE}`;
  }
  return `The body is not JSON; it begins with ${shown(beginning)}. ${SEND_FILE}`;
}

function explainOtherJson(kind: Exclude<JsonKind, 'object'>, beginning: string): string {
  if (kind !== 'string') return `The body is JSON, but ${shown(beginning)} is not an object, as every manifest is.`;
  return /^"\s*\{/.test(beginning)
    ? 'The body is a JSON string with a manifest inside: it was serialised twice. Send the text of the manifest and not a JSON value of it.'
    : `The body is the JSON string ${shown(beginning)} and not a manifest, which is a JSON object. ${SEND_FILE}`;
}

function explainObject({ bytes, inspection }: PushedManifest, contentType: string | undefined): string | undefined {
  const { shape, type, mediaType, keysAreExact } = inspection;
  const code = parseErrors(bytes)?.[0]?.code;
  if (code !== undefined) {
    return `The body is itself an error answer of a registry (${shown(code)}): fetching the manifest failed before. Repair that request, and let curl -f fail on errors.`;
  }
  if (shape === 'unknown') {
    return 'The body is a JSON object, but neither an image manifest (config and layers) nor an index (manifests).';
  }
  if (!keysAreExact) {
    return 'The manifest repeats a member, or writes one in other capitals, so that two readers may see two different manifests. Write each member once, as the specification does.';
  }
  const contradicted = contradictedShape(inspection);
  if (contradicted !== undefined) {
    return `The manifest calls itself ${mediaType}, but has the members of ${contradicted}. Correct its mediaType.`;
  }
  if (type !== undefined && contentType !== type) {
    return `The manifest is ${type}, but was sent as ${contentType ?? 'nothing at all'}. Send the former as its Content-Type.`;
  }
  return undefined;
}

/** What the members make it, when its own mediaType says otherwise. */
function contradictedShape({ shape, mediaType }: PushedManifest['inspection']): string | undefined {
  if (mediaType === undefined) return undefined;
  if (shape === 'index') return isIndexType(mediaType) ? undefined : 'an index';
  return shape === 'image' && !isImageManifestType(mediaType) ? 'an image manifest' : undefined;
}

function beginningOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, READ_BYTES)).toString().trim();
}

/** On one line and short: the text is the client's. */
function shown(text: string): string {
  const line = Array.from(text.replace(/[\s\p{Cc}]+/gu, ' '));
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS).join('')}...` : line.join('');
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

function endsWithBrace(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(-READ_BYTES)).toString().trimEnd().endsWith('}');
}
