import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isImageManifestType,
  isIndexType,
  isManifestType,
  isSchema1Type,
  MANIFEST_TYPES,
  OCI_INDEX,
  OCI_MANIFEST,
  OCTET_STREAM,
  parseMediaType,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from '../../src/domain/media-type.ts';

const ALL = [...MANIFEST_TYPES, SCHEMA1, SCHEMA1_SIGNED, DOCKER_CONFIG, OCTET_STREAM];

describe('parseMediaType', () => {
  it.each([
    ['application/json', 'application/json'],
    [' Application/JSON ', 'application/json'],
    ['application/vnd.oci.image.index.v1+json; charset=utf-8', OCI_INDEX],
    ['APPLICATION/VND.OCI.IMAGE.MANIFEST.V1+JSON;Charset="a;b"', OCI_MANIFEST],
    ['text/html;', 'text/html'],
    ['text/html; charset', 'text/html'],
  ])('reads %j as %j', (header, type) => {
    expect(parseMediaType(header)).toBe(type);
  });

  it.each([
    undefined,
    '',
    ';',
    'json',
    'application/',
    '/json',
    'a/b/c',
    '*/*',
    'text/*',
    'a b/c',
    'text/html, text/plain',
    'a/b\u0000',
  ])('refuses %j', (header) => {
    expect(parseMediaType(header)).toBeUndefined();
  });

  it('reads its own results back, and every constant as itself', () => {
    for (const type of ALL) expect(parseMediaType(type)).toBe(type);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const type = parseMediaType(text);
        expect(parseMediaType(type)).toBe(type);
      }),
    );
  });
});

describe('the families of manifest types', () => {
  it('are the indexes, the images, both of them, and schema 1', () => {
    expect(ALL.filter(isIndexType)).toEqual([OCI_INDEX, DOCKER_LIST]);
    expect(ALL.filter(isImageManifestType)).toEqual([OCI_MANIFEST, DOCKER_MANIFEST]);
    expect(ALL.filter(isManifestType)).toEqual([...MANIFEST_TYPES]);
    expect(ALL.filter(isSchema1Type)).toEqual([SCHEMA1, SCHEMA1_SIGNED]);
  });

  it('have no member that is absent', () => {
    expect([isIndexType, isImageManifestType, isManifestType, isSchema1Type].some((test) => test(undefined))).toBe(
      false,
    );
  });
});
