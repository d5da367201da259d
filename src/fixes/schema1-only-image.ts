import { DELETE } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** containerd 2.0 and Docker 28 dropped schema 1; images of that age exist in nothing else. */
export const schema1OnlyImage: Fix = {
  id: 'schema1-only-image',
  title: 'An image that exists as schema 1 only is converted to schema 2 when fetched by tag',
  symptom: '`schema 1 support has been removed`; `media type ...v1+prettyjws is no longer supported`',
  defaultMode: 'observe',
  digest: 'by tag',
  options: { delete: DELETE },
  manifest: ({ reference, inspection, digest, schema1IsAll }) => {
    if (reference.kind !== 'tag' || inspection.shape !== 'schema1' || !schema1IsAll) return undefined;
    return { note: `converted the schema 1 image ${digest}`, convert: true };
  },
};
