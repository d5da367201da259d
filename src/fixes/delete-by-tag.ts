import type { Fix } from './fix.ts';

/** docker-registry 2 deletes manifests by digest only, and all tags of a digest go with it. The pipeline looks first. */
export const deleteByTag: Fix = {
  id: 'delete-by-tag',
  title: 'A tag is deleted at a registry that deletes by digest only, when nothing else needs its manifest',
  symptom: '`DIGEST_INVALID`: `provided digest did not match uploaded content` for the DELETE of a tag',
  defaultMode: 'off',
  digest: 'unchanged',
};
