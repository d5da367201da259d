import { type Digest, parseDigest } from '../domain/digest.ts';
import { queryValue } from '../domain/query.ts';

/** The longest digest has 135 characters; anything much longer is not one with blanks around it. */
const MAX_LENGTH = 256;
/** Blanks as they arrive in a query: shells leave them around `$(...)`. */
const OUTER_BLANKS = /^(?:%20|%09|%0[ad]|\+)+|(?:%20|%09|%0[ad]|\+)+$/gi;
const BARE_SHA256 = /^[0-9a-f]{64}$/i;
const WITH_ALGORITHM = /^(sha256|sha384|sha512)(:|%3A)([0-9a-f]+)$/i;

/**
 * The raw value of a `digest` parameter in the form that registries accept: no blanks around it, lower-case hex, an
 * algorithm in front of 64 hex digits. What cannot be a digest comes back as it is.
 */
export function shapedDigestValue(raw: string): string {
  if (raw.length > MAX_LENGTH) return raw;
  const value = raw.replace(OUTER_BLANKS, '');
  if (BARE_SHA256.test(value)) return `sha256:${value.toLowerCase()}`;
  const [, algorithm, colon, hex] = WITH_ALGORITHM.exec(value) ?? [];
  return algorithm && hex ? `${algorithm.toLowerCase()}${colon}${hex.toLowerCase()}` : raw;
}

/** The digest that an upload query asks for, read as leniently as `shapedDigestValue` reads it. */
export function digestParameter(query: string): Digest | undefined {
  const raw = queryValue(query, 'digest');
  return raw === undefined ? undefined : parseDigestValue(shapedDigestValue(raw));
}

/** Reads the raw value of a `digest` parameter as registries do: only the colon may be percent-encoded. */
export function parseDigestValue(raw: string): Digest | undefined {
  return parseDigest(raw.replace(/%3A/i, ':'));
}
