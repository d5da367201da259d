import { describeRole, type ManifestDescriptor } from '../domain/descriptor.ts';
import type { Digest } from '../domain/digest.ts';
import type { Holdings } from './holdings.ts';
import type { ContentKind } from './layout.ts';

/** Something that a pull needs and the cache cannot give. */
export interface MissingPart {
  /** `manifest`, `config`, `layer 3`. */
  readonly part: string;
  readonly digest: Digest | null;
  readonly why: 'not in the cache' | 'not seen in this repository' | 'unreadable';
}

/** How much of one image the cache holds. */
export interface ImageHoldings {
  /** `linux/amd64`; null for an image that is no member of an index. */
  readonly platform: string | null;
  readonly digest: Digest;
  /** `never-pulled`: a member of an index that nobody asked for. */
  readonly state: 'complete' | 'incomplete' | 'never-pulled';
  readonly parts: number;
  readonly missing: readonly MissingPart[];
}

/** What the cache could serve of a manifest if the registry were gone. */
export interface Completeness {
  readonly digest: Digest;
  readonly complete: boolean;
  /** What the manifest itself lacks. */
  readonly missing: readonly MissingPart[];
  readonly images: readonly ImageHoldings[];
}

/** Follows a manifest to its children, configurations and layers as far as they are stored, in this repository. */
export function completenessOf(holdings: Holdings, upstream: string, repository: string, digest: Digest): Completeness {
  const missingOf = (kind: ContentKind, part: string, wanted: Digest | undefined): readonly MissingPart[] => {
    if (wanted === undefined) return [{ part, digest: null, why: 'unreadable' }];
    if (holdings.size(kind, wanted) === undefined) return [{ part, digest: wanted, why: 'not in the cache' }];
    if (holdings.access(upstream, repository, kind, wanted) !== undefined) return [];
    return [{ part, digest: wanted, why: 'not seen in this repository' }];
  };

  function image(wanted: Digest, platform: string | null): ImageHoldings {
    const absent = missingOf('manifest', 'manifest', wanted);
    const inspection = absent.length > 0 ? undefined : holdings.manifest(wanted);
    const damaged: readonly MissingPart[] =
      absent.length === 0 && inspection === undefined ? [{ part: 'manifest', digest: wanted, why: 'unreadable' }] : [];
    const blobs = (inspection?.descriptors ?? []).filter(isBlob);
    const missing = [
      ...absent,
      ...damaged,
      ...blobs.flatMap((blob) => missingOf('blob', describeRole(blob), blob.digest)),
    ];
    const isKnown = holdings.access(upstream, repository, 'manifest', wanted) !== undefined;
    const state = missing.length === 0 ? 'complete' : isKnown || platform === null ? 'incomplete' : 'never-pulled';
    return {
      platform,
      digest: wanted,
      state,
      parts: 1 + blobs.length,
      missing: state === 'never-pulled' ? [] : missing,
    };
  }

  const absent = missingOf('manifest', 'manifest', digest);
  const inspection = absent.length > 0 ? undefined : holdings.manifest(digest);
  if (absent.length > 0) return { digest, complete: false, missing: absent, images: [] };
  const children = (inspection?.descriptors ?? []).filter(({ role }) => role === 'child');
  const images =
    inspection?.shape === 'index'
      ? children.flatMap((child) =>
          child.digest === undefined ? [] : [image(child.digest, child.platform ?? describeRole(child))],
        )
      : [image(digest, null)];
  const pulled = images.filter(({ state }) => state !== 'never-pulled');
  // An index of which no image was ever pulled starts nothing.
  const complete = pulled.every(({ state }) => state === 'complete') && (pulled.length > 0 || children.length === 0);
  return { digest, complete, missing: [], images };
}

function isBlob({ role }: ManifestDescriptor): boolean {
  return role === 'config' || role === 'layer';
}
