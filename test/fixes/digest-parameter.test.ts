import { describe, expect, it } from 'vitest';
import { digestParameter, parseDigestValue, shapedDigestValue } from '../../src/fixes/digest-parameter.ts';
import { someDigest } from '../support/views.ts';

const hex = someDigest.slice('sha256:'.length);

describe('the digest parameter of an upload', () => {
  it.each([
    ['a digest as it should be', someDigest, someDigest],
    ['an encoded colon', `sha256%3A${hex}`, `sha256%3A${hex}`],
    ['capital hex', `sha256:${hex.toUpperCase()}`, someDigest],
    ['a capital algorithm', `SHA256%3a${hex}`, `sha256%3a${hex}`],
    ['bare hex', hex, someDigest],
    ['capital bare hex', hex.toUpperCase(), someDigest],
    ['a newline behind it', `${someDigest}%0A`, someDigest],
    ['blanks around it', `%20+%09${someDigest}%0d%0a%20`, someDigest],
    ['another algorithm', `+sha512:${'AB'.repeat(64)}`, `sha512:${'ab'.repeat(64)}`],
  ])('is put into its form: %s', (_, raw, expected) => {
    expect(shapedDigestValue(raw)).toBe(expected);
    expect(shapedDigestValue(expected)).toBe(expected);
  });

  it.each(['', '%20', 'latest', 'md5:abc', `${hex}0`, `%20${hex}0`, ' '.repeat(300) + hex, '%20'.repeat(100) + hex])(
    'stays as it is when it is no digest: %s',
    (raw) => {
      expect(shapedDigestValue(raw)).toBe(raw);
    },
  );

  it('is read with or without these flaws', () => {
    expect(digestParameter(`_state=a&digest=${hex}%0A`)).toBe(someDigest);
    expect(digestParameter(`digest=sha256%3A${hex}`)).toBe(someDigest);
    expect(digestParameter('digest=latest')).toBeUndefined();
    expect(digestParameter('_state=a')).toBeUndefined();
  });

  it('is read strictly, as a registry does', () => {
    expect(parseDigestValue(`sha256%3A${hex}`)).toBe(someDigest);
    expect(parseDigestValue(hex)).toBeUndefined();
    expect(parseDigestValue(someDigest.toUpperCase())).toBeUndefined();
  });
});
