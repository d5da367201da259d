import { describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX } from '../../src/domain/media-type.ts';
import { listForImageOnlyClient } from '../../src/fixes/list-for-image-only-client.ts';
import { compileFixes, defaultSetting } from '../../src/fixes/run.ts';
import { sampleImage, sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

const index = sampleImage('index');
const setting = defaultSetting(listForImageOnlyClient);
const select = (parts: Parameters<typeof manifestView>[0], platform = 'linux/amd64') =>
  listForImageOnlyClient.manifest?.(manifestView({ accepted: [DOCKER_MANIFEST], ...parts }), { platform });

describe('list-for-image-only-client', () => {
  it.each(['list', 'index', 'index-nomt'] as const)('chooses the image of the platform from %s', (name) => {
    const { bytes, digest, children } = sampleImage(name);
    expect(select({ body: bytes })).toEqual({
      note: `chose the linux/amd64 image ${children[0]?.digest} of ${digest}`,
      select: children[0]?.digest,
    });
    expect(select({ body: bytes }, 'linux/arm64')?.select).toBe(children[1]?.digest);
  });

  it('leaves an index without that platform, or with repeated keys, as it is', () => {
    expect(select({ body: index.bytes }, 'linux/s390x')).toBeUndefined();
    expect(select({ body: index.bytes.toString().replace('{', '{"manifests":[],') })).toBeUndefined();
    expect(
      listForImageOnlyClient.manifest?.(manifestView({ accepted: [DOCKER_MANIFEST], body: index.bytes }), {}),
    ).toBe(undefined);
  });

  it('leaves alone what is asked for by digest, who accepts an index, and single images', () => {
    expect(select({ body: index.bytes, reference: index.digest })).toBeUndefined();
    expect(select({ body: index.bytes, accepted: [DOCKER_MANIFEST, OCI_INDEX] })).toBeUndefined();
    for (const { bytes, children } of sampleImages()) {
      if (children.length === 0) expect(select({ body: bytes })).toBeUndefined();
    }
  });

  it('is off unless wanted, and ends the run of fixes when it chose', () => {
    expect(setting).toEqual({ mode: 'off', options: { platform: 'linux/amd64' } });
    const fixes = compileFixes([listForImageOnlyClient], {
      'list-for-image-only-client': { ...setting, mode: 'on' },
    });
    const view = manifestView({ accepted: [DOCKER_MANIFEST], body: index.bytes });
    expect(fixes.manifest(view)).toMatchObject({ select: index.children[0]?.digest, applied: [{ mode: 'on' }] });
  });
});
