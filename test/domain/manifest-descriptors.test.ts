import { describe, expect, it } from 'vitest';
import { inspectManifest } from '../../src/domain/manifest.ts';
import { utf8 } from './bytes.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function inspect(text: string) {
  return inspectManifest(utf8(text));
}

describe('the descriptors of a manifest', () => {
  it('are config, layers and subject of an image', () => {
    const config = { mediaType: 'application/x', digest: DIGEST, size: 7 };
    const image = {
      config,
      layers: [{ size: 1 }, { digest: DIGEST }],
      subject: { digest: DIGEST },
      artifactType: 'a/b',
    };
    const inspection = inspect(JSON.stringify(image));
    expect(inspection.descriptors).toEqual([
      { role: 'config', position: 0, ...config },
      { role: 'layer', position: 0, size: 1 },
      { role: 'layer', position: 1, digest: DIGEST },
      { role: 'subject', position: 0, digest: DIGEST },
    ]);
    expect(inspection).toMatchObject({ artifactType: 'a/b', subject: DIGEST });
  });

  it('are the children of an index, with their platforms', () => {
    const platforms = [
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
      { os: 'linux', architecture: 'amd64', variant: '' },
      { os: 'linux' },
      { architecture: 'amd64' },
      'linux/amd64',
    ];
    const inspection = inspect(JSON.stringify({ manifests: platforms.map((platform) => ({ platform })) }));
    expect(inspection.descriptors).toEqual([
      { role: 'child', position: 0, platform: 'linux/arm64/v8' },
      { role: 'child', position: 1, platform: 'linux/amd64' },
      { role: 'child', position: 2 },
      { role: 'child', position: 3 },
      { role: 'child', position: 4 },
    ]);
  });

  it('leave out what is missing, garbled or not exact', () => {
    const entries = ['null', '1', '"x"', '[]', '{}', '{"mediaType":1,"digest":2,"size":"3"}'];
    const odd = ['{"digest":"sha256:x"}', '{"size":-1}', '{"size":1.5}', '{"size":9007199254740993}', '{"size":1e400}'];
    const { descriptors } = inspect(`{"manifests":[${[...entries, ...odd].join()}]}`);
    expect(descriptors).toEqual([...entries, ...odd].map((_, position) => ({ role: 'child', position })));
  });

  it('are none where the lists are no lists and members are null', () => {
    expect(inspect('{"config":null,"layers":{},"manifests":"x","subject":null}').descriptors).toEqual([]);
  });

  it('name no subject that has no digest', () => {
    const inspection = inspect('{"config":{},"layers":[],"subject":{"digest":"x"},"artifactType":1}');
    expect(inspection).not.toHaveProperty('subject');
    expect(inspection).not.toHaveProperty('artifactType');
  });
});
