import { DELETE, deriveMediaType, FORCE } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** Off unless wanted: single images without the member are common, and clients read them well with the right header. */
export const manifestWithoutMediatype: Fix = {
  id: 'manifest-without-mediatype',
  title: 'An image manifest that lacks its mediaType gets it when fetched by tag',
  symptom: 'A reader of `mediaType` fails on an image that pulls well',
  defaultMode: 'off',
  digest: 'by tag',
  options: { force: FORCE, delete: DELETE },
  manifest: (view, options) => deriveMediaType(view, 'image', options),
};
