import { DOCKER_LIST, DOCKER_MANIFEST } from '../domain/media-type.ts';
import { withManifestTypes } from './accept-header.ts';
import type { Fix } from './fix.ts';

/** distribution 2.x converts to schema 1, signed anew each time, for whoever does not name schema 2. */
export const acceptMissingSchema1: Fix = {
  id: 'accept-missing-schema1',
  title: 'A request that names no manifest type also accepts the Docker types',
  symptom: '200 with `fsLayers` instead of `layers`, and another body on every request',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    const headers = withManifestTypes(view, [DOCKER_LIST, DOCKER_MANIFEST]);
    return headers && { note: 'added the Docker manifest types to Accept', headers };
  },
};
