import { describe, expect, it } from 'vitest';
import { convertSchema1, type LayerContent, layersOf, readSchema1 } from '../../src/domain/convert-schema1.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST } from '../../src/domain/media-type.ts';
import { digest } from '../support/views.ts';
import { SIGNED_SCHEMA1 } from './signed-schema1.ts';

const base = digestOf(Buffer.from('base'));
const top = digestOf(Buffer.from('top'));
const empty = digestOf(Buffer.from('empty'));
const diffId = digest(`sha256:${'d'.repeat(64)}`);
const content = (gzip = true): LayerContent => ({ size: 7, gzip, diffId });

/** A schema 1 manifest of three steps, the newest first, the middle one without files. */
function schema1(changes: Record<string, unknown> = {}): Buffer {
  const newest = {
    id: 'x',
    parent: 'y',
    Size: 1,
    architecture: 'arm64',
    os: 'linux',
    created: '2016-01-02T00:00:00Z',
    author: 'somebody',
    comment: 'a comment',
    config: { Cmd: ['/hello'] },
    container_config: { Cmd: ['/bin/sh', '-c', 'make'] },
  };
  const steps = [newest, { throwaway: true, created: 1, author: '', container_config: { Cmd: [] } }, { comment: '' }];
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      architecture: 'amd64',
      fsLayers: [top, empty, base].map((blobSum) => ({ blobSum })),
      history: steps.map((step) => ({ v1Compatibility: JSON.stringify(step) })),
      ...changes,
    }),
  );
}

const parse = (bytes: Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? []).toString());

describe('the conversion of a schema 1 image', () => {
  it('lists the layers from the base up, without those that hold nothing', () => {
    const image = readSchema1(schema1());
    expect(image && layersOf(image)).toEqual([base, top]);
  });

  it('makes a config with diff ids and history, and a manifest that names it', () => {
    const image = readSchema1(schema1());
    const contents = new Map([
      [base, content()],
      [top, content(false)],
    ]);
    const converted = image && convertSchema1(image, contents);
    expect(parse(converted?.config.bytes)).toEqual({
      architecture: 'arm64',
      os: 'linux',
      created: '2016-01-02T00:00:00Z',
      author: 'somebody',
      comment: 'a comment',
      config: { Cmd: ['/hello'] },
      container_config: { Cmd: ['/bin/sh', '-c', 'make'] },
      rootfs: { type: 'layers', diff_ids: [diffId, diffId] },
      history: [
        {},
        { empty_layer: true },
        { created: '2016-01-02T00:00:00Z', author: 'somebody', created_by: '/bin/sh -c make', comment: 'a comment' },
      ],
    });
    expect(parse(converted?.manifest)).toEqual({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_CONFIG, size: converted?.config.bytes.length, digest: converted?.config.digest },
      layers: [
        { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: 7, digest: base },
        { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', size: 7, digest: top },
      ],
    });
    expect(converted?.config.digest).toBe(digestOf(converted?.config.bytes ?? new Uint8Array()));
    expect(image && convertSchema1(image, contents)).toEqual(converted);
  });

  it('takes the platform from the manifest where the newest step has none', () => {
    const image = readSchema1(Buffer.from(SIGNED_SCHEMA1.replace('\\"architecture\\":\\"amd64\\",', '')));
    const contents = new Map((image ? layersOf(image) : []).map((layer) => [layer, content()] as const));
    expect(parse(image && convertSchema1(image, contents)?.config.bytes)).toMatchObject({ architecture: 'amd64' });
    expect(readSchema1(schema1({ architecture: 1 }))?.architecture).toBe('amd64');
  });

  it('needs the content of every layer', () => {
    const image = readSchema1(schema1());
    expect(image && convertSchema1(image, new Map())).toBeUndefined();
  });

  it.each([
    ['no layers', { fsLayers: [], history: [] }],
    ['no list of layers', { fsLayers: {} }],
    ['no history', { history: undefined }],
    ['lists of two lengths', { history: [] }],
    ['a layer without digest', { fsLayers: [{}, { blobSum: 1 }, null] }],
    ['a layer with a bad digest', { fsLayers: [{ blobSum: 'x' }, { blobSum: 'x' }, { blobSum: 'x' }] }],
    ['a step without its image', { history: [{}, {}, {}] }],
    [
      'more layers than an image can have',
      { fsLayers: Array(501).fill({ blobSum: base }), history: Array(501).fill({ v1Compatibility: '{}' }) },
    ],
  ])('declines %s', (_, changes) => {
    expect(readSchema1(schema1(changes))).toBeUndefined();
  });

  it('declines what is not JSON, and reads a broken step as one that says nothing', () => {
    expect(readSchema1(Buffer.from('<html>'))).toBeUndefined();
    const broken = [{ v1Compatibility: '{' }, { v1Compatibility: '1' }, { v1Compatibility: '{}' }];
    expect(readSchema1(schema1({ history: broken }))?.entries).toHaveLength(3);
  });
});
