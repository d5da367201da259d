import { DELETE, deriveMediaType, FORCE } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** Legal in OCI, yet importers, jib before 0.17 and home-made scripts read the member. */
export const indexWithoutMediatype: Fix = {
  id: 'index-without-mediatype',
  title: 'An index that lacks its mediaType gets it when fetched by tag',
  symptom: '`Schema 1 manifest not supported`; a reader of `mediaType` fails on an index',
  defaultMode: 'on',
  digest: 'by tag',
  options: { force: FORCE, delete: DELETE },
  manifest: (view, options) => deriveMediaType(view, 'index', options),
};
