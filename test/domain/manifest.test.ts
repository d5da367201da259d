import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectManifest, type ManifestShape } from '../../src/domain/manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from '../../src/domain/media-type.ts';
import { utf8 } from './bytes.ts';
import { SIGNED_SCHEMA1 } from './signed-schema1.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function inspect(text: string) {
  return inspectManifest(utf8(text));
}

const KEYS = ['mediaType', 'schemaVersion', 'manifests', 'config', 'layers', 'fsLayers', 'signatures', 'subject'];
const manifestLike = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...KEYS, 'MediaType', 'CONFIG', '__proto__'), fc.string()),
      fc.oneof(
        fc.constantFrom(OCI_INDEX, DOCKER_MANIFEST, 1, 2, null, '', [], {}, [null], { digest: DIGEST, size: -1 }),
        fc.jsonValue(),
      ),
    ),
    { maxLength: 6 },
  )
  .map((members) =>
    utf8(`{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`),
  );

describe('the shape of a manifest', () => {
  it.each<[string, ManifestShape]>([
    ['{"schemaVersion":2,"manifests":[]}', 'index'],
    ['{"manifests":[]}', 'index'],
    ['{"manifests":[],"history":[],"signatures":[]}', 'index'],
    ['{"config":{},"layers":[]}', 'image'],
    ['{"schemaVersion":2,"config":{},"layers":[],"subject":{}}', 'image'],
    ['{"schemaVersion":1}', 'schema1'],
    ['{"fsLayers":[]}', 'schema1'],
    ['{"FSLAYERS":[]}', 'schema1'],
    [SIGNED_SCHEMA1, 'schema1'],
    ['{"manifests":[],"config":{}}', 'ambiguous'],
    ['{"manifests":[],"layers":[]}', 'ambiguous'],
    ['{"manifests":[],"fsLayers":[]}', 'ambiguous'],
    ['{"manifests":null,"config":null}', 'ambiguous'],
    ['{"Manifests":1,"LAYERS":"x"}', 'ambiguous'],
    ['{"manifests":[],"\\u0063onfig":{}}', 'ambiguous'],
    ['{"manife\u017ft\u017f":[],"config":{},"layers":[]}', 'ambiguous'],
    ['{"config":{},"layers":[],"MANIFESTS":[]}', 'ambiguous'],
    ['{}', 'unknown'],
    ['{"manifests":{}}', 'unknown'],
    ['{"MANIFESTS":[]}', 'unknown'],
    ['{"config":{}}', 'unknown'],
    ['{"layers":[]}', 'unknown'],
    ['{"config":[],"layers":[]}', 'unknown'],
    ['{"config":{},"layers":{}}', 'unknown'],
    ['{"Config":{},"layers":[]}', 'unknown'],
    ['{"config":{},"layers":[],"fsLayers":[]}', 'unknown'],
    ['{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[]}', 'unknown'],
    ['{"__proto__":{"manifests":[]}}', 'unknown'],
  ])('of %s is %s', (text, shape) => {
    expect(inspect(text)).toMatchObject({ shape, jsonKind: 'object' });
  });

  it.each([
    ['[]', 'array'],
    ['"$manifest"', 'string'],
    ['2', 'number'],
    ['true', 'true'],
    ['null', 'null'],
  ])('of %s is not-json, and its kind is told', (text, jsonKind) => {
    expect(inspect(text)).toEqual({ shape: 'not-json', jsonKind, keysAreExact: true, descriptors: [] });
  });

  it.each<[string, Uint8Array, string]>([
    ['a page', utf8('<html>'), 'syntax'],
    ['no bytes', new Uint8Array(), 'syntax'],
    ['a byte order mark', utf8('\ufeff{"manifests":[]}'), 'byte-order-mark'],
    ['invalid UTF-8', Buffer.from('{"manifests":[],"a":"\xff"}', 'latin1'), 'not-utf8'],
    ['two documents', utf8('{"manifests":[]}{}'), 'trailing-data'],
    ['100,000 levels', utf8(`{"manifests":${'['.repeat(100_000)}`), 'too-deep'],
  ])('of %s is not-json, and the defect is told', (_name, bytes, defect) => {
    expect(inspectManifest(bytes)).toEqual({ shape: 'not-json', defect, keysAreExact: false, descriptors: [] });
  });
});

describe('the type of a manifest', () => {
  it.each([
    ['an index without mediaType', '{"manifests":[]}', OCI_INDEX],
    ['an OCI index', `{"mediaType":"${OCI_INDEX}","manifests":[]}`, OCI_INDEX],
    ['a Docker list', `{"manifests":[],"mediaType":"${DOCKER_LIST}"}`, DOCKER_LIST],
    ['an escaped mediaType', `{"\\u006dediaType":"${DOCKER_LIST}","manifests":[]}`, DOCKER_LIST],
    ['an image without mediaType', '{"schemaVersion":2,"config":{},"layers":[]}', OCI_MANIFEST],
    ['an image with a Docker config', `{"config":{"mediaType":"${DOCKER_CONFIG}"},"layers":[]}`, DOCKER_MANIFEST],
    ['an OCI image', `{"mediaType":"${OCI_MANIFEST}","config":{},"layers":[]}`, OCI_MANIFEST],
    ['a Docker image', `{"mediaType":"${DOCKER_MANIFEST}","config":{},"layers":[]}`, DOCKER_MANIFEST],
    ['signed schema 1', SIGNED_SCHEMA1, SCHEMA1_SIGNED],
    ['unsigned schema 1', '{"schemaVersion":1,"fsLayers":[]}', SCHEMA1],
    ['schema 1 that names itself', `{"schemaVersion":1,"mediaType":"${SCHEMA1_SIGNED}"}`, SCHEMA1_SIGNED],
    ['a null mediaType', '{"mediaType":null,"manifests":[]}', OCI_INDEX],
    ['an empty mediaType', '{"mediaType":"","manifests":[]}', OCI_INDEX],
  ])('is known for %s', (_name, text, type) => {
    expect(inspect(text).type).toBe(type);
  });

  it.each([
    ['an index that says it is an image', `{"mediaType":"${OCI_MANIFEST}","manifests":[]}`],
    ['an image that says it is a list', `{"mediaType":"${DOCKER_LIST}","config":{},"layers":[]}`],
    ['schema 1 that says it is schema 2', `{"mediaType":"${DOCKER_MANIFEST}","schemaVersion":1,"fsLayers":[]}`],
    ['an index that says it is schema 1', `{"mediaType":"${SCHEMA1}","manifests":[]}`],
    ['a foreign mediaType', '{"mediaType":"application/x","manifests":[]}'],
    ['a mediaType with a parameter', `{"mediaType":"${OCI_INDEX}; charset=utf-8","manifests":[]}`],
    ['a mediaType in capitals', `{"mediaType":"${OCI_INDEX.toUpperCase()}","manifests":[]}`],
    ['a mediaType that is no string', '{"mediaType":2,"manifests":[]}'],
    ['an index of schemaVersion 1', '{"schemaVersion":1,"manifests":[]}'],
    ['an ambiguous manifest', `{"mediaType":"${OCI_INDEX}","manifests":[],"config":{}}`],
    ['an unknown manifest', `{"mediaType":"${OCI_INDEX}"}`],
    ['a repeated mediaType', `{"mediaType":"${OCI_INDEX}","mediaType":"${OCI_INDEX}","manifests":[]}`],
    ['a mediaType in another case', `{"MEDIATYPE":"${OCI_INDEX}","manifests":[]}`],
    ['a repeated key that hardly matters', '{"manifests":[],"annotations":{},"annotations":{}}'],
    ['no JSON', '<html>'],
  ])('is left open for %s', (_name, text) => {
    expect(inspect(text)).not.toHaveProperty('type');
  });
});

describe("a manifest's own mediaType", () => {
  it('is reported even when it contradicts the structure', () => {
    expect(inspect(`{"mediaType":"${OCI_MANIFEST}","manifests":[]}`).mediaType).toBe(OCI_MANIFEST);
    expect(inspect('{"mediaType":"application/x"}').mediaType).toBe('application/x');
  });

  it.each([
    '{"mediaType":"no type"}',
    '{"mediaType":1}',
    '{}',
    `{"mediaType":"${OCI_INDEX}","mediaType":"${DOCKER_LIST}"}`,
    `{"mediaType":"${OCI_INDEX}","MediaType":"${DOCKER_LIST}"}`,
    '{"mediaType":"Application/X"}',
  ])('is left out of %s', (text) => {
    expect(inspect(text)).not.toHaveProperty('mediaType');
  });
});

describe('keysAreExact', () => {
  it.each([
    '{}',
    '{"mediaType":"x","schemaVersion":2,"manifests":[],"subject":{}}',
    '{"Annotations":{},"annotations":{},"__proto__":1}',
    '{"config":{"size":1,"size":2,"MediaType":"x"},"layers":[]}',
  ])('holds for %s', (text) => {
    expect(inspect(text).keysAreExact).toBe(true);
  });

  it.each([
    '{"a":1,"a":1}',
    '{"manifests":[],"\\u006danifests":[]}',
    '{"__proto__":1,"__proto__":2}',
    ...[
      'MediaType',
      'schemaversion',
      'MANIFESTS',
      'Config',
      'Layers',
      'fslayers',
      'History',
      'SIGNATURES',
      'Subject',
    ].map((key) => `{"${key}":1}`),
    '{"config\\u0073":1,"\\u017fubject":1}',
  ])('fails for %s', (text) => {
    expect(inspect(text).keysAreExact).toBe(false);
  });
});

describe('inspectManifest', () => {
  it('never throws, and is a function of the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8), manifestLike), (bytes) => {
        expect(inspectManifest(bytes)).toEqual(inspectManifest(Uint8Array.from(bytes)));
      }),
      { numRuns: 1000 },
    );
  });

  it('has no type unless the keys are exact and the shape is known', () => {
    fc.assert(
      fc.property(manifestLike, (bytes) => {
        const { type, keysAreExact, shape } = inspectManifest(bytes);
        if (type === undefined) return;
        expect(keysAreExact).toBe(true);
        expect(['index', 'image', 'schema1']).toContain(shape);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads an index of 4 MB', () => {
    const child = `{"mediaType":"${OCI_MANIFEST}","digest":"${DIGEST}","size":1}`;
    const { type, descriptors } = inspect(`{"manifests":[${Array(26_000).fill(child).join()}]}`);
    expect(type).toBe(OCI_INDEX);
    expect(descriptors).toHaveLength(26_000);
  });
});
