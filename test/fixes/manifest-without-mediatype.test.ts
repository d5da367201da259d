import { describe, expect, it } from 'vitest';
import { OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { manifestWithoutMediatype } from '../../src/fixes/manifest-without-mediatype.ts';
import { defaultSetting } from '../../src/fixes/run.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const derive = (body: string | Uint8Array, reference = 'latest') =>
  manifestWithoutMediatype.manifest?.(manifestView({ body, reference }), {});

describe('manifest-without-mediatype', () => {
  it('adds the member to an image fetched by tag and touches no other byte', () => {
    const { bytes, digest } = sampleImage('ocinomt-amd64');
    const change = derive(bytes);
    expect(change?.note).toBe(`added mediaType to ${digest}`);
    expect(change?.derive?.mediaType).toBe(OCI_MANIFEST);
    const text = Buffer.from(change?.derive?.bytes ?? []).toString();
    expect(text).toBe(`{"mediaType":"${OCI_MANIFEST}",${bytes.toString().slice(1)}`);
  });

  it('changes nothing that is fetched by digest: an index pins its children', () => {
    const { bytes, digest } = sampleImage('ocinomt-amd64');
    expect(derive(bytes, digest)).toBeUndefined();
  });

  it('is done after one time, and leaves all other samples alone', () => {
    for (const { name, bytes } of sampleImages()) {
      const change = derive(bytes);
      expect(change !== undefined).toBe(name === 'ocinomt-amd64');
      if (change?.derive !== undefined) expect(derive(change.derive.bytes)).toBeUndefined();
    }
  });

  it('leaves an incomplete image alone', () => {
    expect(derive('{"schemaVersion":2,"config":{},"layers":[]}')).toBeUndefined();
    expect(derive('{"schemaVersion":2,"layers":[]}')).toBeUndefined();
  });

  it('is off unless wanted', () => {
    expect(defaultSetting(manifestWithoutMediatype)).toEqual({
      mode: 'off',
      options: { force: 'no', delete: 'explain' },
    });
  });
});
