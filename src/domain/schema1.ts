import { type Digest, digestOf } from './digest.ts';
import { scanJson } from './json-scan.ts';

const BASE64URL_FORM = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * The digest of a signed schema 1 manifest: over what was signed, without the signatures. As in docker/libtrust, the first
 * signature's protected header says how many bytes of the body to keep and what to append. Undefined when the body has no
 * usable signature.
 */
export function schema1PayloadDigest(bytes: Uint8Array): Digest | undefined {
  const body = parseJson(bytes);
  const signature = Array.isArray(body.signatures) ? membersOf(body.signatures[0]) : {};
  const header = decodeBase64Url(signature.protected);
  const { formatLength, formatTail } = header ? parseJson(header) : {};
  const tail = decodeBase64Url(formatTail);
  if (!tail || !isLengthWithin(formatLength, bytes.length)) return undefined;
  return digestOf(Buffer.concat([bytes.subarray(0, formatLength), tail]));
}

function isLengthWithin(value: unknown, limit: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= limit;
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const document = scanJson(bytes);
  return 'defect' in document ? {} : membersOf(JSON.parse(document.text));
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function decodeBase64Url(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' && BASE64URL_FORM.test(text) ? Buffer.from(text, 'base64url') : undefined;
}
