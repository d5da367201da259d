import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer;

/** The content codings of RFC 9110, section 8.4.1, with brotli (RFC 7932) and zstd (RFC 8878). */
const CODINGS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
  ['zstd', zstdDecompressSync],
]);

/** Nobody codes twice in earnest; a long list is an attack on memory (CVE-2026-22036). */
const MAX_CODINGS = 2;

/**
 * Undoes the content codings of a whole body; `identity` and an empty field leave it as it is.
 * The decoded bytes, and those of each step, are at most `maxBytes`.
 */
export function decodeBody(
  bytes: Uint8Array,
  contentEncoding: string,
  maxBytes: number,
): Uint8Array | 'unsupported' | 'malformed' | 'too-large' {
  const codings = parseCodings(contentEncoding);
  if (codings === undefined) return 'unsupported';
  try {
    return codings.reduce<Uint8Array>((decoded, decode) => decode(decoded, { maxOutputLength: maxBytes }), bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'malformed';
  }
}

/** The codings in the order of undoing them, the last applied first. */
function parseCodings(contentEncoding: string): readonly Decode[] | undefined {
  const names = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  const codings = names.map((name) => CODINGS.get(name)).filter((coding) => coding !== undefined);
  if (codings.length !== names.length || codings.length > MAX_CODINGS) return undefined;
  return codings.reverse();
}
