import { headerValue, withHeader } from '../domain/headers.ts';
import { isManifestType, isSchema1Type, parseMediaType } from '../domain/media-type.ts';
import type { Fix } from './fix.ts';

/** File servers and gateways call a manifest application/json, text/plain or nothing at all. */
export const contentTypeGeneric: Fix = {
  id: 'content-type-generic',
  title: 'A manifest with a general or no Content-Type gets the type of its bytes',
  symptom: '`unsupported schema version 2`; `could not fetch content descriptor`',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    const { type } = view.inspection;
    const named = parseMediaType(headerValue(view.headers, 'Content-Type'));
    if (type === undefined || isManifestType(named) || isSchema1Type(named)) return undefined;
    return {
      note: `replaced ${named ?? 'a missing type'} by ${type}`,
      headers: withHeader(view.headers, 'Content-Type', type),
    };
  },
};
