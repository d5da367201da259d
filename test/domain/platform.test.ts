import { describe, expect, it } from 'vitest';
import { inspectManifest } from '../../src/domain/manifest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { imageFor } from '../../src/domain/platform.ts';
import { sha256 } from '../support/images.ts';

interface Entry {
  readonly platform?: string;
  readonly mediaType?: string;
  readonly annotations?: unknown;
  readonly digest?: string;
}

/** Which entry of an index is chosen, by its position. */
function chosen(platform: string, entries: readonly Entry[]): number | undefined {
  const manifests = entries.map(({ platform: text, digest, ...entry }, position) => {
    const [os, architecture, variant] = text?.split('/') ?? [];
    return {
      mediaType: OCI_MANIFEST,
      digest: digest ?? sha256(String(position)),
      size: 1,
      ...(os === undefined ? {} : { platform: { os, architecture, variant } }),
      ...entry,
    };
  });
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  return imageFor(platform, inspectManifest(bytes).descriptors)?.position;
}

const on = (...platforms: string[]) => platforms.map((platform) => ({ platform }));

describe('the image for a platform', () => {
  it.each([
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64/v1'], 1],
    ['linux/amd64', ['linux/amd64/v3'], undefined],
    ['linux/amd64', ['windows/amd64', 'linux/arm64'], undefined],
    ['linux/arm64', ['linux/arm64', 'linux/arm64/v8'], 1],
    ['linux/arm64', ['linux/arm/v7', 'linux/arm64'], 1],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 1],
    ['linux/arm/v7', ['linux/arm64', 'linux/arm'], 1],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 1],
    ['linux/arm/v6', ['linux/arm/v7'], undefined],
    ['linux/s390x', ['linux/amd64', 'linux/s390x'], 1],
    ['windows/amd64', ['windows/amd64', 'windows/amd64'], 0],
  ])('%s of %j is %j', (platform, platforms, position) => {
    expect(chosen(platform, on(...platforms))).toBe(position);
  });

  it('is never an attestation, an index, or what has no digest', () => {
    const attestation = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
    const wanted = { platform: 'linux/amd64' };
    expect(chosen('linux/amd64', [{ platform: 'unknown/unknown' }, { ...wanted, ...attestation }, wanted])).toBe(2);
    expect(
      chosen('linux/amd64', [
        { ...wanted, mediaType: OCI_INDEX },
        { ...wanted, digest: 'x' },
      ]),
    ).toBeUndefined();
    expect(chosen('linux/amd64', [{ ...wanted, annotations: 'x', mediaType: DOCKER_MANIFEST }])).toBe(0);
    expect(chosen('linux/amd64', [])).toBeUndefined();
  });

  it('may lack a platform only when it is the only image', () => {
    expect(chosen('linux/amd64', [{}])).toBe(0);
    expect(chosen('linux/amd64', [{}, { platform: 'unknown/unknown' }])).toBe(0);
    expect(chosen('linux/amd64', [{}, {}])).toBeUndefined();
    expect(chosen('linux/amd64', [{}, { platform: 'linux/amd64' }])).toBe(1);
  });
});
