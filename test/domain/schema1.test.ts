import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { schema1PayloadDigest } from '../../src/domain/schema1.ts';
import { utf8 } from './bytes.ts';
import { SIGNED_SCHEMA1, SIGNED_SCHEMA1_DIGEST } from './signed-schema1.ts';

function signedBody(header: unknown, encode: (text: string) => string = base64url): Uint8Array {
  return utf8(JSON.stringify({ a: 1, signatures: [{ protected: encode(JSON.stringify(header)) }] }));
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

describe('schema1PayloadDigest', () => {
  it("equals the registry's digest of an answer that docker-registry signed", () => {
    expect(schema1PayloadDigest(utf8(SIGNED_SCHEMA1))).toBe(SIGNED_SCHEMA1_DIGEST);
  });

  it('does not depend on the signatures themselves', () => {
    const resigned = SIGNED_SCHEMA1.replace(/"signature": "[^"]*"/, '"signature": "other"');
    expect(resigned).not.toBe(SIGNED_SCHEMA1);
    expect(schema1PayloadDigest(utf8(resigned))).toBe(SIGNED_SCHEMA1_DIGEST);
  });

  it('changes with the signed bytes', () => {
    const changed = SIGNED_SCHEMA1.replace('"tag": "v"', '"tag": "w"');
    expect(schema1PayloadDigest(utf8(changed))).toMatch(/^sha256:/);
    expect(schema1PayloadDigest(utf8(changed))).not.toBe(SIGNED_SCHEMA1_DIGEST);
  });

  it('joins the kept bytes and the tail, padded base64 included', () => {
    const header = { formatLength: 6, formatTail: Buffer.from('\n}').toString('base64') };
    expect(header.formatTail.endsWith('=')).toBe(true);
    expect(schema1PayloadDigest(signedBody(header))).toBe(digestOf(utf8('{"a":1\n}')));
  });

  it.each<[string, Uint8Array]>([
    ['bytes that are not JSON', utf8('<html>')],
    ['a JSON string', utf8('"x"')],
    ['null', utf8('null')],
    ['no signatures', utf8('{"schemaVersion":1}')],
    ['signatures that are no array', utf8('{"signatures":{}}')],
    ['an empty list of signatures', utf8('{"signatures":[]}')],
    ['a signature that is no object', utf8('{"signatures":[null]}')],
    ['a signature without header', utf8('{"signatures":[{}]}')],
    ['a header that is not base64url', utf8('{"signatures":[{"protected":"***"}]}')],
    ['a header that is not JSON', signedBody({}, () => base64url('{'))],
    ['a header without members', signedBody({})],
    ['no tail', signedBody({ formatLength: 1 })],
    ['a tail that is not base64url', signedBody({ formatLength: 1, formatTail: '*' })],
    ['no length', signedBody({ formatTail: 'Cn0' })],
    ['a negative length', signedBody({ formatLength: -1, formatTail: 'Cn0' })],
    ['a fractional length', signedBody({ formatLength: 1.5, formatTail: 'Cn0' })],
    ['a length beyond the body', signedBody({ formatLength: 10_000, formatTail: 'Cn0' })],
  ])('is undefined for %s', (_name, bytes) => {
    expect(schema1PayloadDigest(bytes)).toBeUndefined();
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map(utf8),
          fc.jsonValue().map((v) => signedBody(v)),
        ),
        (bytes) => {
          expect(() => schema1PayloadDigest(bytes)).not.toThrow();
        },
      ),
    );
  });
});
