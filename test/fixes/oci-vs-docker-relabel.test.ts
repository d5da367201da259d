import { describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { ociVsDockerRelabel } from '../../src/fixes/oci-vs-docker-relabel.ts';
import { compileFixes, defaultSetting } from '../../src/fixes/run.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const oci = sampleImage('oci-amd64');
const docker = sampleImage('docker-amd64');
const change = (parts: Parameters<typeof manifestView>[0], options: Record<string, string> = { to: 'docker' }) =>
  ociVsDockerRelabel.manifest?.(manifestView(parts), options);

describe('oci-vs-docker-relabel', () => {
  it('derives the image of the wanted family', () => {
    expect(change({ body: oci.bytes })).toMatchObject({
      note: `relabelled the image ${oci.digest} for Docker clients`,
      derive: { mediaType: DOCKER_MANIFEST, force: false, kind: 'relabelled' },
    });
    expect(change({ body: docker.bytes }, { to: 'oci', force: 'yes' })).toMatchObject({
      note: `relabelled the image ${docker.digest} for OCI clients`,
      derive: { mediaType: OCI_MANIFEST, force: true },
    });
  });

  it('is done after one time', () => {
    expect(change({ body: docker.bytes })).toBeUndefined();
    expect(change({ body: change({ body: oci.bytes })?.derive?.bytes ?? '' })).toBeUndefined();
  });

  it('leaves alone what is fetched by digest, indexes, and clients that do not read the result', () => {
    expect(change({ body: oci.bytes, reference: oci.digest })).toBeUndefined();
    expect(change({ body: oci.bytes, accepted: [OCI_MANIFEST, OCI_INDEX] })).toBeUndefined();
    for (const { bytes, children } of sampleImages()) {
      if (children.length > 0) expect(change({ body: bytes })).toBeUndefined();
    }
  });

  it('says why it left alone what cannot be expressed, and counts it as not done', () => {
    const body = oci.bytes.toString().replace('{', '{"annotations":{},');
    expect(change({ body })).toEqual({ note: 'left alone: the manifest has annotations', declined: true });
    const { mode: _, options } = defaultSetting(ociVsDockerRelabel);
    const fixes = compileFixes([ociVsDockerRelabel], { 'oci-vs-docker-relabel': { mode: 'on', options } });
    const outcome = fixes.manifest(manifestView({ body }));
    expect(outcome.derive).toBeUndefined();
    expect(outcome.applied).toMatchObject([{ id: 'oci-vs-docker-relabel', mode: 'observe' }]);
  });

  it('is off, and relabels for Docker unless told otherwise', () => {
    const options = { to: 'docker', force: 'no', delete: 'explain' };
    expect(defaultSetting(ociVsDockerRelabel)).toEqual({ mode: 'off', options });
  });
});
