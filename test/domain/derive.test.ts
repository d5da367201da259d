import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMediaType } from '../../src/domain/derive.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { inspectManifest } from '../../src/domain/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { textOf, utf8 } from './bytes.ts';

type Shape = 'index' | 'image';

const LIMIT = 4_194_304;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const CHILD = `{"mediaType":"${OCI_MANIFEST}","digest":"${DIGEST}","size":1}`;
const INSERTED = { index: `"mediaType":"${OCI_INDEX}",`, image: `"mediaType":"${OCI_MANIFEST}",` } as const;

function add(text: string, shape: Shape = 'index') {
  return addMediaType(utf8(text), shape);
}

function added(text: string, shape: Shape = 'index') {
  const result = add(text, shape);
  if ('declined' in result) throw new Error(`declined ${text}: ${result.declined}`);
  return result;
}

const descriptor = fc.record(
  {
    mediaType: fc.constantFrom(OCI_MANIFEST, 'a/b', ''),
    digest: fc.constantFrom(DIGEST, `sha512:${'0'.repeat(128)}`),
    size: fc.maxSafeNat(),
    annotations: fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
    platform: fc.jsonValue(),
  },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
);
const others = fc.record(
  { annotations: fc.dictionary(fc.string(), fc.string()), subject: descriptor, 'x-é': fc.jsonValue() },
  { requiredKeys: [] },
);
const index = fc
  .tuple(fc.array(descriptor, { maxLength: 4 }), others)
  .map(([manifests, rest]) => ({ manifests, ...rest }));
const image = fc
  .tuple(descriptor, fc.array(descriptor, { maxLength: 4 }), others)
  .map(([config, layers, rest]) => ({ config, layers, ...rest }));
const document = fc
  .tuple(
    fc.oneof(
      index.map((members) => ({ shape: 'index' as Shape, members })),
      image.map((members) => ({ shape: 'image' as Shape, members })),
    ),
    fc.boolean(),
    fc.constantFrom(0, 1, 3),
    fc.stringMatching(/^[ \t\r\n]{0,3}$/),
  )
  .map(([{ shape, members }, versionFirst, indent, space]) => {
    const manifest = versionFirst ? { schemaVersion: 2, ...members } : { ...members, schemaVersion: 2 };
    return { shape, text: `${space}${JSON.stringify(manifest, null, indent)}${space}` };
  });

describe('addMediaType', () => {
  it.each([
    [
      '{"schemaVersion":2,"manifests":[]}',
      'sha256:bc5857ac9458293d5111ab85c952172cd7f56bceb4e3014ddc4cafac8927b313',
      '{"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2,"manifests":[]}',
      'sha256:3a56d0519f24aa98fb69399bb0e67c0fe8184a9d9525a888c29d8b4cfdb397c0',
    ],
    [
      '{\n  "schemaVersion": 2,\n  "manifests": []\n}\n',
      'sha256:54b74d3c7e1efaaddcb0790078260ccd43c84f53bf305c03f43b8acf8b4702dc',
      '{"mediaType":"application/vnd.oci.image.index.v1+json",\n  "schemaVersion": 2,\n  "manifests": []\n}\n',
      'sha256:ab6949130109b8dd2feb55333c5eb79c970df463848cdc0200a75ca33f03ae00',
    ],
  ])('turns %j into exactly the known bytes', (original, originalDigest, derived, derivedDigest) => {
    expect(digestOf(utf8(original))).toBe(originalDigest);
    const result = added(original);
    expect(textOf(result.bytes)).toBe(derived);
    expect(digestOf(result.bytes)).toBe(derivedDigest);
    expect(result.mediaType).toBe(OCI_INDEX);
  });

  it('gives an image manifest the OCI type', () => {
    const { bytes, mediaType } = added(`{"schemaVersion":2,"config":${CHILD},"layers":[${CHILD}]}`, 'image');
    expect(mediaType).toBe(OCI_MANIFEST);
    expect(textOf(bytes)).toBe(`{${INSERTED.image}"schemaVersion":2,"config":${CHILD},"layers":[${CHILD}]}`);
  });

  it('adds the member and keeps every other byte', () => {
    fc.assert(
      fc.property(document, ({ shape, text }) => {
        const { bytes, mediaType } = added(text, shape);
        const derived = textOf(bytes);
        const at = text.indexOf('{') + 1;
        expect(derived).toBe(text.slice(0, at) + INSERTED[shape] + text.slice(at));
        expect(JSON.parse(derived)).toEqual({ ...JSON.parse(text), mediaType });
        expect(inspectManifest(bytes)).toMatchObject({ type: mediaType, mediaType, shape, keysAreExact: true });
      }),
    );
  });

  it('declines its own result, and leaves its input as it was', () => {
    fc.assert(
      fc.property(document, ({ shape, text }) => {
        const original = utf8(text);
        const result = addMediaType(original, shape);
        expect(original).toEqual(utf8(text));
        expect('bytes' in result && addMediaType(result.bytes, shape)).toEqual({
          declined: 'the manifest has a mediaType',
        });
      }),
    );
  });

  it('keeps numbers and escapes that a parser would lose', () => {
    const text = `{ "schemaVersion":2,"x":1.0e0,"n":9007199254740993,"\\u0061":"\\/","s":"\\ud800","manifests":[]}`;
    expect(textOf(added(text).bytes)).toBe(`{${INSERTED.index}${text.slice(1)}`);
  });

  it('reads keys through their escapes', () => {
    expect(added('{"schema\\u0056ersion":2,"\\u006danifests":[]}').mediaType).toBe(OCI_INDEX);
    expect(add('{"schemaVersion":2,"\\u006dediaType":"x","manifests":[]}')).toHaveProperty('declined');
  });

  it.each([
    '{"schemaVersion":2,"MediaType":"x","manifests":[]}',
    '{"schemaVersion":2,"manifests":[],"manifests":[]}',
    '{"schemaVersion":2,"manifests":[],"config":{}}',
    '\ufeff{"schemaVersion":2,"manifests":[]}',
    '[]',
    '{}',
    '"x"',
    '',
    '<html>',
    '{"schemaVersion":1,"manifests":[]}',
    '{"schemaVersion":2.0,"manifests":[]}',
    '{"schemaVersion":2e0,"manifests":[]}',
    '{"schemaVersion":"2","manifests":[]}',
    '{"manifests":[]}',
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"manifests":{}}',
    '{"schemaVersion":2,"manifests":[],"layers":null}',
    '{"schemaVersion":2,"manifests":[],"fsLayers":[]}',
    '{"schemaVersion":2,"manifests":[],"history":[]}',
    '{"schemaVersion":2,"manifests":[],"signatures":[]}',
    '{"schemaVersion":2,"manifests":[],"LAYERS":[]}',
    '{"schemaVersion":2,"manifests":[],"\\u006dediatype":1}',
    '{"schemaVersion":2,"\\u006danifests":[],"manifests":[]}',
    '{"schemaVersion":2,"manifests":[],"x":1,"x":1}',
    '{"schemaVersion":2,"mediaType":null,"manifests":[]}',
    `{"mediaType":"${OCI_INDEX}","schemaVersion":2,"manifests":[]}`,
    '{"schemaVersion":2,"manifests":[]} {}',
    `{"schemaVersion":2,"manifests":[],"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ])('declines the index %j', (text) => {
    expect(add(text)).toEqual({ declined: expect.stringMatching(/./) });
  });

  it('declines invalid UTF-8', () => {
    const bytes = Buffer.from('{"schemaVersion":2,"manifests":[],"x":"\xff"}', 'latin1');
    expect(addMediaType(bytes, 'index')).toEqual({ declined: 'the manifest is not plain JSON (not-utf8)' });
  });

  it.each([
    `{"schemaVersion":2,"layers":[]}`,
    `{"schemaVersion":2,"config":${CHILD}}`,
    `{"schemaVersion":2,"config":[],"layers":[]}`,
    `{"schemaVersion":2,"config":${CHILD},"layers":{}}`,
    `{"schemaVersion":2,"config":{},"layers":[]}`,
    `{"schemaVersion":2,"config":${CHILD},"layers":[{}]}`,
    `{"schemaVersion":2,"config":${CHILD},"layers":[],"manifests":[]}`,
    `{"schemaVersion":2,"config":${CHILD},"layers":[],"history":[]}`,
    `{"schemaVersion":2,"manifests":[]}`,
  ])('declines the image %s', (text) => {
    expect(add(text, 'image')).toHaveProperty('declined');
  });

  it.each(['0', '1', '9007199254740991'])('takes a size of %s', (size) => {
    expect(add(`{"schemaVersion":2,"manifests":[${CHILD.replace('"size":1', `"size":${size}`)}]}`)).toHaveProperty(
      'bytes',
    );
  });

  it.each([
    '1',
    'null',
    '[]',
    '{}',
    CHILD.replace('"size":1', '"size":-1'),
    CHILD.replace('"size":1', '"size":-0'),
    CHILD.replace('"size":1', '"size":1.0'),
    CHILD.replace('"size":1', '"size":1e3'),
    CHILD.replace('"size":1', '"size":"1"'),
    CHILD.replace('"size":1', '"size":9007199254740992'),
    CHILD.replace('"size":1', '"size":99999999999999999999999'),
    CHILD.replace('"size":1', '"size":1,"size":1'),
    CHILD.replace(',"size":1', ''),
    CHILD.replace('sha256:', 'md5:'),
    CHILD.replace('aaaa"', '"'),
    CHILD.replace(`"digest":"${DIGEST}",`, ''),
    CHILD.replace(`"mediaType":"${OCI_MANIFEST}",`, ''),
    CHILD.replace(`"${OCI_MANIFEST}"`, 'null'),
  ])('declines an entry %s', (entry) => {
    expect(add(`{"schemaVersion":2,"manifests":[${CHILD},${entry}]}`)).toEqual({
      declined: 'an entry of manifests is not a complete descriptor',
    });
  });

  it('grows to 4 MiB exactly and no further', () => {
    const frame = '{"schemaVersion":2,"manifests":[],"x":""}';
    const room = LIMIT - INSERTED.index.length - frame.length;
    const fits = frame.replace('""', `"${'a'.repeat(room)}"`);
    expect(added(fits).bytes).toHaveLength(LIMIT);
    expect(add(fits.replace('"a', '"aa'))).toEqual({ declined: 'the result would exceed 4 MiB' });
  });

  it('reads an index of nearly 4 MB', () => {
    expect(add(`{"schemaVersion":2,"manifests":[${Array(26_000).fill(CHILD).join()}]}`)).toHaveProperty('bytes');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array(), fc.json().map(utf8)),
        fc.constantFrom<Shape>('index', 'image'),
        (bytes, shape) => {
          expect(addMediaType(bytes, shape)).toHaveProperty('declined');
        },
      ),
    );
  });
});
