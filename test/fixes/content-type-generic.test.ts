import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  MANIFEST_TYPES,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from '../../src/domain/media-type.ts';
import { contentTypeGeneric } from '../../src/fixes/content-type-generic.ts';
import { type SampleName, sampleImage } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const apply = (body: string | Uint8Array, headers: HeaderList) =>
  contentTypeGeneric.manifest?.(manifestView({ body, headers }), {});

describe('content-type-generic', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    'text/html',
    'application/octet-stream',
    'binary',
    '',
  ])('replaces "%s" by what the bytes are', (value) => {
    const change = apply(sampleImage('index').bytes, [['content-type', value]]);
    expect(change?.headers).toEqual([['Content-Type', OCI_INDEX]]);
  });

  it('adds a type where none came', () => {
    const change = apply(sampleImage('index').bytes, [['Etag', '"x"']]);
    expect(change).toEqual({
      note: `replaced a missing type by ${OCI_INDEX}`,
      headers: [
        ['Etag', '"x"'],
        ['Content-Type', OCI_INDEX],
      ],
    });
  });

  it.each([
    ['docker-amd64', DOCKER_MANIFEST],
    ['oci-amd64', OCI_MANIFEST],
    ['ocinomt-amd64', OCI_MANIFEST],
    ['list', DOCKER_LIST],
    ['index', OCI_INDEX],
    ['index-nomt', OCI_INDEX],
  ] satisfies [SampleName, string][])('knows what %s is, and is done after one time', (name, type) => {
    const headers = apply(sampleImage(name).bytes, [['Content-Type', 'text/plain']])?.headers ?? [];
    expect(headers).toEqual([['Content-Type', type]]);
    expect(apply(sampleImage(name).bytes, headers)).toBeUndefined();
  });

  it('knows schema 1 with and without signatures', () => {
    expect(apply('{"schemaVersion":1,"fsLayers":[],"signatures":[]}', [])?.headers?.[0]?.[1]).toBe(SCHEMA1_SIGNED);
    expect(apply('{"schemaVersion":1,"fsLayers":[]}', [])?.headers?.[0]?.[1]).toBe(SCHEMA1);
  });

  it('leaves every manifest type alone, right or wrong', () => {
    for (const type of [...MANIFEST_TYPES, SCHEMA1, SCHEMA1_SIGNED]) {
      expect(apply(sampleImage('index').bytes, [['Content-Type', type]])).toBeUndefined();
    }
  });

  it.each([
    ['a document that is no manifest', '{}'],
    ['a page', '<html>'],
    ['two readings in one', '{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}'],
    ['keys that parsers read differently', '{"schemaVersion":2,"manifests":[],"Manifests":[]}'],
  ])('does not guess what %s is', (_, body) => {
    expect(apply(body, [['Content-Type', 'application/json']])).toBeUndefined();
  });
});
