import { expect, it } from 'vitest';
import { describeDerivation } from '../../src/domain/derivation.ts';
import { someDigest } from '../support/views.ts';

it.each([
  ['media-type-added', `manifix added mediaType; original digest ${someDigest}`],
  ['converted', `manifix converted this image from schema 1; original digest ${someDigest}`],
  ['relabelled', `manifix gave this image other media types; original digest ${someDigest}`],
  ['as-pushed', `manifix keeps this manifest as it was pushed; the registry has it as ${someDigest}`],
] as const)('says of what is %s how it came about, and the digest that the registry has', (kind, text) => {
  expect(describeDerivation(kind, someDigest)).toBe(text);
});
