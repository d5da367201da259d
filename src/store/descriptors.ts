import { LRUCache } from 'lru-cache';
import type { ManifestDescriptor } from '../domain/descriptor.ts';

/** About a megabyte in memory; what falls out is asked for at the registry. */
const MAX_BLOBS = 10_000;

/** Remembers how manifests name the blobs of images: config and layers. In memory only. */
export function createDescriptors(): {
  note(upstream: string, descriptors: readonly ManifestDescriptor[]): void;
  blob(upstream: string, digest: string): { readonly size?: number } | undefined;
} {
  const known = new LRUCache<string, { readonly size?: number }>({ max: MAX_BLOBS });
  const key = (upstream: string, digest: string): string => `${upstream}\n${digest}`;
  return {
    note(upstream, descriptors) {
      for (const { role, digest, size } of descriptors) {
        if (digest === undefined || (role !== 'config' && role !== 'layer')) continue;
        const before = known.get(key(upstream, digest));
        // Whoever can push a manifest can put any size into it: when two disagree, neither is believed.
        const agreed = size !== undefined && (before === undefined || before.size === size) ? { size } : {};
        known.set(key(upstream, digest), agreed);
      }
    },
    blob: (upstream, digest) => known.get(key(upstream, digest)),
  };
}
