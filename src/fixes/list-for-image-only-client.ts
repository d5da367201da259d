import { acceptsOnlyImages } from '../domain/accept.ts';
import { imageFor, PLATFORMS } from '../domain/platform.ts';
import type { Fix } from './fix.ts';

/** Clients that expect `config` and `layers` find `manifests` when a registry ignores Accept, or has nothing but the index. */
export const listForImageOnlyClient: Fix = {
  id: 'list-for-image-only-client',
  title: 'A client that accepts images and no index gets the image of one platform by tag',
  symptom: '`KeyError: config`, `nil.map`; `The image manifest, config or layer media type ... is not supported`',
  defaultMode: 'off',
  digest: 'unchanged',
  options: {
    platform: {
      values: PLATFORMS,
      default: 'linux/amd64',
      description: 'The platform whose image such clients get.',
    },
  },
  manifest: ({ reference, accepted, inspection, digest }, { platform = '' }) => {
    if (reference.kind !== 'tag' || !acceptsOnlyImages(accepted) || inspection.shape !== 'index') return undefined;
    if (!inspection.keysAreExact) return undefined;
    const image = imageFor(platform, inspection.descriptors)?.digest;
    return image && { note: `chose the ${platform} image ${image} of ${digest}`, select: image };
  },
};
