import { describe, expect, it } from 'vitest';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { acceptsImageOf, type ImageFamily, relabelImage } from '../../src/domain/relabel.ts';
import { mediaTypes, sampleImage } from '../support/images.ts';

const docker = sampleImage('docker-amd64').bytes;
const oci = sampleImage('oci-amd64').bytes;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const relabelled = (body: Uint8Array | string, to: ImageFamily) => {
  const result = relabelImage(Buffer.from(body), to);
  return 'declined' in result ? result.declined : text(result.bytes);
};
const asDocker = (body: string) =>
  body
    .replaceAll(mediaTypes.ociManifest, mediaTypes.dockerManifest)
    .replaceAll(mediaTypes.ociConfig, mediaTypes.dockerConfig)
    .replaceAll(mediaTypes.ociLayer, mediaTypes.dockerLayer);

describe('relabelling an image', () => {
  it('changes the media types and no other byte, in both directions', () => {
    expect(relabelled(oci, 'docker')).toBe(asDocker(text(oci)));
    expect(relabelled(relabelled(oci, 'docker'), 'oci')).toBe(text(oci));
    expect(relabelled(relabelled(docker, 'oci'), 'docker')).toBe(text(docker));
  });

  it('says the type of the result, and leaves what has it already', () => {
    expect(relabelImage(oci, 'docker')).toMatchObject({ mediaType: DOCKER_MANIFEST });
    expect(relabelImage(docker, 'oci')).toMatchObject({ mediaType: OCI_MANIFEST });
    expect(relabelled(oci, 'oci')).toBe(text(oci));
  });

  it('adds the member where OCI leaves it out', () => {
    const body = sampleImage('ocinomt-amd64').bytes.toString();
    expect(relabelled(body, 'docker')).toBe(asDocker(body).replace('{', `{"mediaType":"${DOCKER_MANIFEST}",`));
  });

  it('knows plain and foreign layers', () => {
    const plain = text(oci).replace('v1.tar+gzip', 'v1.tar');
    expect(relabelled(plain, 'docker')).toContain('"application/vnd.docker.image.rootfs.diff.tar"');
    const foreign = text(oci).replace('layer.v1.tar+gzip', 'layer.nondistributable.v1.tar+gzip');
    expect(relabelled(foreign, 'docker')).toContain('rootfs.foreign.diff.tar.gzip');
  });

  const descriptor = (type: string, more = '') => `{"mediaType":"${type}","digest":"x","size":1${more}}`;
  const image = (config: string, layers: string, more = '') =>
    `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","config":${config},"layers":[${layers}]${more}}`;
  const config = descriptor(mediaTypes.ociConfig);
  const layer = descriptor(mediaTypes.ociLayer);

  it.each([
    ['annotations', image(config, layer, ',"annotations":{}'), 'the manifest has annotations'],
    ['a subject', image(config, layer, ',"subject":{}'), 'the manifest has subject'],
    ['an artifact type', image(config, layer, ',"artifactType":"a/b"'), 'the manifest has artifactType'],
    [
      'annotations of a layer',
      image(config, descriptor(mediaTypes.ociLayer, ',"annotations":{}')),
      'layer 1 has annotations',
    ],
    ['embedded data', image(descriptor(mediaTypes.ociConfig, ',"data":"e30="'), layer), 'the config has data'],
    [
      'a zstd layer',
      image(config, `${layer},${descriptor('application/vnd.oci.image.layer.v1.tar+zstd')}`),
      'layer 2 is "application/vnd.oci.image.layer.v1.tar+zstd", which has no counterpart',
    ],
    [
      'an artifact',
      image(descriptor('application/vnd.oci.empty.v1+json'), layer),
      'the config is "application/vnd.oci.empty.v1+json", which has no counterpart',
    ],
    [
      'another manifest type',
      image(config, layer).replace(OCI_MANIFEST, OCI_INDEX),
      `the manifest is "${OCI_INDEX}", which has no counterpart`,
    ],
    ['a descriptor without type', image('{"digest":"x"}', layer), 'the config has no mediaType'],
    ['a descriptor that is none', image(config, '"x"'), 'layer 1 is not a JSON object'],
    [
      'a descriptor with a repeated key',
      image(descriptor(mediaTypes.ociConfig, ',"size":2'), layer),
      'the config repeats a key',
    ],
    ['a repeated key', image(config, layer, `,"layers":[]`), 'the manifest repeats a key'],
    ['a key in another case', image(config, layer, `,"Layers":[]`), 'the manifest has Layers'],
    ['no layers', `{"schemaVersion":2,"config":${config},"layers":{}}`, 'it is no image manifest'],
    ['no config', '{"schemaVersion":2,"layers":[]}', 'it is no image manifest'],
    ['what is not JSON', '<html>', 'the manifest is not a JSON object'],
  ])('declines %s', (_, body, reason) => {
    expect(relabelled(body, 'docker')).toBe(reason);
  });

  it('declines what would grow too large', () => {
    const body = image(config, layer).replace(`"mediaType":"${OCI_MANIFEST}",`, '');
    const padded = body.replace('{', `{${' '.repeat(4 * 1024 * 1024 - body.length)}`);
    expect(relabelImage(Buffer.from(padded), 'docker')).toEqual({ declined: 'the result would exceed 4 MiB' });
  });

  it('is for those who read the result', () => {
    expect(acceptsImageOf('docker', [])).toBe(true);
    expect(acceptsImageOf('docker', [DOCKER_MANIFEST, DOCKER_LIST])).toBe(true);
    expect(acceptsImageOf('docker', [OCI_MANIFEST])).toBe(false);
    expect(acceptsImageOf('oci', [OCI_MANIFEST])).toBe(true);
    expect(acceptsImageOf('oci', [OCI_INDEX])).toBe(false);
  });
});
