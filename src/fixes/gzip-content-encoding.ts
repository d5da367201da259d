import type { Fix } from './fix.ts';

/** Carried out where the answer is read: a digest is that of the decoded bytes. */
export const gzipContentEncoding: Fix = {
  id: 'gzip-content-encoding',
  title: 'Manifests and blobs that arrive compressed are decoded before anyone measures them',
  symptom: '`failed size validation: 683 != 304`',
  defaultMode: 'on',
  digest: 'unchanged',
};
