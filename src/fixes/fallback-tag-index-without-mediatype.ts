import { deriveMediaType } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** The tag of referrers where there is no API: 64 characters of the digest (distribution-spec, "Referrers Tag Schema"). */
const FALLBACK_TAG = /^sha(?:256|384|512)-[0-9a-f]{64}$/;

/**
 * crane refuses to attach to such an index. Nobody signs or pins it, because every attachment replaces it, so that there is
 * no signature to look for; what the client writes back is whole.
 */
export const fallbackTagIndexWithoutMediatype: Fix = {
  id: 'fallback-tag-index-without-mediatype',
  title: 'The index of referrers under a fallback tag gets the mediaType that it lacks',
  symptom: '`fallback tag manifest is not an OCI image index` from crane',
  defaultMode: 'on',
  digest: 'by tag',
  manifest: (view) => {
    if (view.reference.kind !== 'tag' || !FALLBACK_TAG.test(view.reference.tag)) return undefined;
    return deriveMediaType(view, 'index', { force: 'yes' });
  },
};
