import { DELETE, deriveMediaType, FORCE } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** Legal in OCI, yet importers, jib before 0.17 and home-made scripts read the member. */
export const indexWithoutMediatype: Fix = {
  id: 'index-without-mediatype',
  title: 'An index that lacks its mediaType gets it when fetched by tag',
  defaultMode: 'on',
  options: { force: FORCE, delete: DELETE },
  manifest: (view, options) => deriveMediaType(view, 'index', options),
};
