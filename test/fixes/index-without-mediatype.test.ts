import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { indexWithoutMediatype } from '../../src/fixes/index-without-mediatype.ts';
import { defaultSetting } from '../../src/fixes/run.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const derive = (body: string | Uint8Array, reference = 'latest') =>
  indexWithoutMediatype.manifest?.(manifestView({ body, reference }), {});

describe('index-without-mediatype', () => {
  it.each([
    ['{"schemaVersion":2,"manifests":[]}', 'sha256:3a56d0519f24aa98fb69399bb0e67c0fe8184a9d9525a888c29d8b4cfdb397c0'],
    [
      '{\n  "schemaVersion": 2,\n  "manifests": []\n}\n',
      'sha256:ab6949130109b8dd2feb55333c5eb79c970df463848cdc0200a75ca33f03ae00',
    ],
  ])('adds the member to %j and touches no other byte', (body, digest) => {
    const derived = derive(body)?.derive;
    expect(Buffer.from(derived?.bytes ?? []).toString()).toBe(`{"mediaType":"${OCI_INDEX}",${body.slice(1)}`);
    expect(digestOf(derived?.bytes ?? new Uint8Array())).toBe(digest);
    expect(derived?.mediaType).toBe(OCI_INDEX);
  });

  it('names the original in its note', () => {
    const { bytes, digest } = sampleImage('index-nomt');
    expect(derive(bytes)?.note).toBe(`added mediaType to ${digest}`);
  });

  it('changes nothing that is fetched by digest', () => {
    const { bytes, digest } = sampleImage('index-nomt');
    expect(derive(bytes, digest)).toBeUndefined();
  });

  it('is done after one time, and leaves all other samples alone', () => {
    for (const { name, bytes } of sampleImages()) {
      const change = derive(bytes);
      expect(change !== undefined).toBe(name === 'index-nomt');
      if (change?.derive !== undefined) expect(derive(change.derive.bytes)).toBeUndefined();
    }
  });

  it('is on, and asks to spare signed indexes', () => {
    expect(defaultSetting(indexWithoutMediatype)).toEqual({ mode: 'on', options: { force: 'no', delete: 'explain' } });
  });
});

describe('inexact-keys', () => {
  it.each([
    '{"schemaVersion":2,"MediaType":"x","manifests":[]}',
    '{"schemaVersion":2,"manifests":[],"manifests":[]}',
    '{"schemaVersion":2,"SchemaVersion":2,"manifests":[]}',
  ])('never changes %s', (body) => {
    expect(derive(body)).toBeUndefined();
  });

  it('never changes an index with one more repeated key, wherever it stands', () => {
    const key = fc.constantFrom('schemaVersion', 'manifests', 'annotations', 'x');
    fc.assert(
      fc.property(key, fc.boolean(), (name, first) => {
        const members = ['"schemaVersion":2', '"manifests":[]', '"annotations":{}', '"x":1'];
        const repeated = members.find((member) => member.startsWith(`"${name}"`)) ?? '';
        expect(derive(`{${(first ? [repeated, ...members] : [...members, repeated]).join(',')}}`)).toBeUndefined();
      }),
    );
  });
});

describe('type-confusion', () => {
  it.each(['"config":{}', '"layers":[]', '"fsLayers":[]', '"signatures":[]', '"history":[]'])(
    'never changes an index that also has %s',
    (member) => {
      expect(derive(`{"schemaVersion":2,"manifests":[],${member}}`)).toBeUndefined();
    },
  );
});

describe('the options of index-without-mediatype', () => {
  it('let the operator overrule the signature guard', () => {
    const view = manifestView({ body: '{"schemaVersion":2,"manifests":[]}' });
    expect(indexWithoutMediatype.manifest?.(view, { force: 'yes' })?.derive?.force).toBe(true);
    expect(indexWithoutMediatype.manifest?.(view, { force: 'no' })?.derive?.force).toBe(false);
  });
});
