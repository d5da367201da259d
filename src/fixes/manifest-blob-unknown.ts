import type { Fix } from './fix.ts';

/** The pipeline fills in what it holds and what the registry would give to the same caller. */
export const manifestBlobUnknown: Fix = {
  id: 'manifest-blob-unknown',
  title: 'Parts of a pushed manifest that the repository lacks come from another repository or from the cache',
  symptom: '`MANIFEST_BLOB_UNKNOWN`: `blob unknown to registry` when a manifest was pushed without its parts',
  defaultMode: 'off',
  digest: 'unchanged',
};
