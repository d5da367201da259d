import type { Digest } from './digest.ts';
import type { Reference, RepositoryName } from './reference.ts';

/**
 * What a request under /v2/ is about, after its path was parsed and validated
 * (distribution-spec, "Endpoints"). Nothing below the edge sees a URL.
 */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'manifest'; readonly repository: RepositoryName; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly repository: RepositoryName; readonly digest: Digest }
  /** `trailingSlash` is false for `/blobs/uploads`, which docker-registry answers with a 301. */
  | { readonly kind: 'upload-start'; readonly repository: RepositoryName; readonly trailingSlash: boolean }
  /** `id` is the registry's opaque session id, percent-encoded as it arrived. */
  | { readonly kind: 'upload'; readonly repository: RepositoryName; readonly id: string }
  | { readonly kind: 'tags'; readonly repository: RepositoryName }
  | { readonly kind: 'referrers'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'catalog' }
  /** Anything else under /v2/, for example a registry's extension; `path` starts with `/v2/`. */
  | { readonly kind: 'other'; readonly path: string };

export type RouteKind = Route['kind'];
