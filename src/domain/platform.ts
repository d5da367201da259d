import type { ManifestDescriptor } from './descriptor.ts';
import { isImageManifestType } from './media-type.ts';

/**
 * The variants that run on a wanted platform, best first, as containerd and dockerd choose: an older ARM runs on a newer one,
 * and no variant means the usual one (v7 for arm, v8 for arm64, v1 for amd64).
 */
const RUNS_ON: Readonly<Record<string, readonly string[]>> = {
  'linux/amd64': ['linux/amd64', 'linux/amd64/v1'],
  'linux/arm64': ['linux/arm64/v8', 'linux/arm64'],
  'linux/arm/v7': ['linux/arm/v7', 'linux/arm', 'linux/arm/v6', 'linux/arm/v5'],
  'linux/arm/v6': ['linux/arm/v6', 'linux/arm/v5'],
};

/** Platforms that an operator can choose. */
export const PLATFORMS = [
  'linux/amd64',
  'linux/arm64',
  'linux/arm/v7',
  'linux/arm/v6',
  'linux/386',
  'linux/ppc64le',
  'linux/s390x',
  'linux/riscv64',
  'linux/loong64',
  'linux/mips64le',
  'windows/amd64',
  'windows/arm64',
] as const;

/** BuildKit adds what attests an image to its index; it is no image. */
const UNKNOWN_PLATFORM = 'unknown/unknown';

/**
 * The image of an index for a platform; undefined when there is none. Of several the first counts, as for every client. An
 * image that is alone and names no platform is meant for whoever asks.
 */
export function imageFor(platform: string, descriptors: readonly ManifestDescriptor[]): ManifestDescriptor | undefined {
  const images = descriptors.filter(isImage);
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0 && only.platform === undefined) return only;
  const wanted = RUNS_ON[platform] ?? [platform];
  return wanted
    .map((variant) => images.find((image) => image.platform === variant))
    .find((image) => image !== undefined);
}

function isImage({ role, mediaType, digest, platform, attestation }: ManifestDescriptor): boolean {
  if (role !== 'child' || digest === undefined || !isImageManifestType(mediaType)) return false;
  return attestation !== true && platform !== UNKNOWN_PLATFORM;
}

const PLATFORM_FORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;

/** Whether a text is a platform as indexes name it: `linux/amd64`, `linux/arm/v7`. */
export function isPlatform(text: string): boolean {
  return PLATFORM_FORM.test(text);
}
