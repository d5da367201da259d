import type { Fix } from './fix.ts';

/** containerd asks for a digest below /manifests/ and then below /blobs/, and keeps the type of the first answer for ever. */
export const blobsEndpointServesManifest: Fix = {
  id: 'blobs-endpoint-serves-manifest',
  title: 'A manifest is not served as a blob, also where the registry does so',
  symptom: '`unexpected media type application/octet-stream for sha256:...: not found`',
  defaultMode: 'on',
  digest: 'unchanged',
};
