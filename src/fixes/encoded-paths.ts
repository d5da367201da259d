import type { Fix } from './fix.ts';

/** GHCR redirects to names with %2F, scripts join with too many slashes. The edge reads such a path as it was meant. */
export const encodedPaths: Fix = {
  id: 'encoded-paths',
  title: 'Slashes in the path may be encoded, doubled, or one too many at the end',
  symptom: '404 or 301 for `/v2/team%2Fapp/...`, `//v2/` and `.../tags/list/`',
  defaultMode: 'on',
  digest: 'unchanged',
};
