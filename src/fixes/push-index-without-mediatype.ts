import { addMediaType } from '../domain/derive.ts';
import type { Fix } from './fix.ts';

/** GitLab's registry takes such an index for schema 1 and does not hand it out again; ECR refuses it. */
export const pushIndexWithoutMediatype: Fix = {
  id: 'push-index-without-mediatype',
  title: 'An index without mediaType is stored with it, and stays valid under the digest that was pushed',
  symptom: '`Schema 1 manifest not supported` for what was pushed a moment ago; `Invalid JSON syntax`',
  defaultMode: 'off',
  digest: 'on push',
  request: ({ method, route, manifest }) => {
    // By digest the URL, the parent or a signature already says what the bytes are.
    if (method !== 'PUT' || route.kind !== 'manifest' || route.reference.kind !== 'tag') return undefined;
    if (manifest?.inspection.shape !== 'index') return undefined;
    const normalised = addMediaType(manifest.bytes, 'index');
    if ('declined' in normalised) return undefined;
    return { note: 'pushed an index with the mediaType that it lacked', push: normalised };
  },
};
