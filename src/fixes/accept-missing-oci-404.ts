import { OCI_INDEX, OCI_MANIFEST } from '../domain/media-type.ts';
import { withManifestTypes } from './accept-header.ts';
import type { Fix } from './fix.ts';

/** distribution 2.7 and later, and GitLab, serve OCI types only to an Accept that spells them out. */
export const acceptMissingOci404: Fix = {
  id: 'accept-missing-oci-404',
  title: 'A request that names no manifest type also accepts the OCI types',
  symptom: '404 `accept header does not support OCI manifests` for an image that exists',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    const headers = withManifestTypes(view, [OCI_INDEX, OCI_MANIFEST]);
    return headers && { note: 'added the OCI manifest types to Accept', headers };
  },
};
