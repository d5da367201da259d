import { formatReference } from './reference.ts';
import type { Route } from './route.ts';

/** The repository in a path that `formatRoute` made, or that a client wrote in the same form; undefined when it is about none. */
export function repositoryInPath(path: string): string | undefined {
  return /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)(?:\/|$)/.exec(path)?.[1];
}

/** The tag or the digest that a route is about; undefined when it is about neither. */
export function referenceIn(route: Route): string | undefined {
  if (route.kind === 'manifest') return formatReference(route.reference);
  return 'digest' in route ? route.digest : undefined;
}

/** The path of a route, from `/v2/` on, as a registry expects it. Built from parsed parts only. */
export function formatRoute(route: Route): string {
  switch (route.kind) {
    case 'base':
      return '/v2/';
    case 'catalog':
      return '/v2/_catalog';
    case 'manifest':
      return `/v2/${route.repository}/manifests/${formatReference(route.reference)}`;
    case 'blob':
      return `/v2/${route.repository}/blobs/${route.digest}`;
    case 'upload-start':
      return `/v2/${route.repository}/blobs/uploads${route.trailingSlash ? '/' : ''}`;
    case 'upload':
      return `/v2/${route.repository}/blobs/uploads/${route.id}`;
    case 'tags':
      return `/v2/${route.repository}/tags/list`;
    case 'referrers':
      return `/v2/${route.repository}/referrers/${route.digest}`;
    case 'other':
      return route.path;
  }
}
