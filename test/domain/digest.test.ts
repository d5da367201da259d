import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithmOf, createDigester, digestOf, hexOf, parseDigest } from '../../src/domain/digest.ts';
import { utf8 } from './bytes.ts';

const EMPTY_SHA256 = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('parseDigest', () => {
  it.each([
    ['sha256', 64],
    ['sha384', 96],
    ['sha512', 128],
  ])('accepts %s with %i lower-case hex digits', (algorithm, length) => {
    const text = `${algorithm}:${'0af9'.repeat(length / 4)}`;
    expect(parseDigest(text)).toBe(text);
  });

  it.each([
    '',
    'sha256:',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    EMPTY_SHA256.toUpperCase(),
    EMPTY_SHA256.slice(0, -1),
    `${EMPTY_SHA256}0`,
    `${EMPTY_SHA256}\n`,
    ` ${EMPTY_SHA256}`,
    `md5:${'0'.repeat(32)}`,
    `sha512:${'0'.repeat(64)}`,
    `sha256:${'g'.repeat(64)}`,
    `sha256:../../${'0'.repeat(58)}`,
  ])('refuses %j', (text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

describe('digestOf', () => {
  it('knows the digest of nothing', () => {
    expect(digestOf(new Uint8Array())).toBe(EMPTY_SHA256);
  });

  it('agrees with node:crypto in every algorithm, and its parts are its algorithm and hex', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('sha256' as const, 'sha384' as const, 'sha512' as const),
        (bytes, algorithm) => {
          const digest = digestOf(bytes, algorithm);
          expect(parseDigest(digest)).toBe(digest);
          expect(algorithmOf(digest)).toBe(algorithm);
          expect(hexOf(digest)).toBe(createHash(algorithm).update(bytes).digest('hex'));
        },
      ),
    );
  });
});

describe('createDigester', () => {
  it('gives the digest of the whole, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (chunks) => {
        const digester = createDigester();
        for (const chunk of chunks) digester.update(chunk);
        expect(digester.digest()).toBe(digestOf(Buffer.concat(chunks)));
      }),
    );
  });

  it('names its algorithm', () => {
    expect(createDigester('sha512').digest()).toBe(digestOf(new Uint8Array(), 'sha512'));
  });

  it('branches off a copy that goes its own way', () => {
    const digester = createDigester('sha384');
    digester.update(utf8('a'));
    const copy = digester.copy();
    copy.update(utf8('b'));
    digester.update(utf8('c'));
    expect(copy.digest()).toBe(digestOf(utf8('ab'), 'sha384'));
    expect(digester.digest()).toBe(digestOf(utf8('ac'), 'sha384'));
  });
});
