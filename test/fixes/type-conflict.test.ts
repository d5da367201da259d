import { describe, expect, it } from 'vitest';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from '../../src/domain/media-type.ts';
import { typeConflict } from '../../src/fixes/type-conflict.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const apply = (body: string | Uint8Array, type: string) =>
  typeConflict.manifest?.(manifestView({ body, headers: [['Content-Type', type]] }), {});

describe('type-conflict', () => {
  it.each([
    ['an index called an image', 'index', OCI_MANIFEST, OCI_INDEX],
    ['an image called a list', 'docker-amd64', DOCKER_LIST, DOCKER_MANIFEST],
    ['an index without mediaType called an image', 'index-nomt', DOCKER_MANIFEST, OCI_INDEX],
    ['a Docker list called an OCI index', 'list', OCI_INDEX, DOCKER_LIST],
    ['an OCI image called schema 1', 'oci-amd64', SCHEMA1_SIGNED, OCI_MANIFEST],
  ] as const)('corrects %s', (_, name, wrong, right) => {
    const body = sampleImage(name).bytes;
    expect(apply(body, wrong)).toEqual({
      note: `replaced ${wrong} by ${right}, which is what the bytes are`,
      headers: [['Content-Type', right]],
    });
    expect(apply(body, right)).toBeUndefined();
  });

  it('corrects a header that hides a schema 1 body', () => {
    expect(apply('{"schemaVersion":1,"fsLayers":[]}', OCI_INDEX)?.headers).toEqual([['Content-Type', SCHEMA1]]);
  });

  it('leaves every sample with its own type alone', () => {
    for (const { bytes, mediaType } of sampleImages()) expect(apply(bytes, mediaType)).toBeUndefined();
  });

  it('leaves the choice between Docker and OCI to the header when the body has no mediaType', () => {
    const body = `{"schemaVersion":2,"config":{"mediaType":"${DOCKER_CONFIG}"},"layers":[]}`;
    expect(apply(body, OCI_MANIFEST)).toBeUndefined();
    expect(apply(body, DOCKER_MANIFEST)).toBeUndefined();
  });

  it('leaves general and missing types to content-type-generic', () => {
    expect(apply(sampleImage('index').bytes, 'application/json')).toBeUndefined();
    expect(typeConflict.manifest?.(manifestView({ body: sampleImage('index').bytes }), {})).toBeUndefined();
  });

  it('does not follow a mediaType that contradicts the structure', () => {
    const body = `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","manifests":[]}`;
    expect(apply(body, OCI_INDEX)).toBeUndefined();
    expect(apply(body, OCI_MANIFEST)).toBeUndefined();
  });
});

describe('inexact-keys', () => {
  it('keeps the manifest type that the registry named', () => {
    expect(apply('{"schemaVersion":2,"manifests":[],"manifests":[]}', OCI_MANIFEST)).toBeUndefined();
    expect(apply(`{"schemaVersion":2,"manifests":[],"MEDIATYPE":"${DOCKER_LIST}"}`, OCI_MANIFEST)).toBeUndefined();
  });
});
