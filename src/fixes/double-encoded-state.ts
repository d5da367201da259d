import type { Fix } from './fix.ts';
import { decodeEscapedState } from './upload-query.ts';

/** URL builders that take a string, Spring's RestTemplate for one, encode the `%` of a Location again. */
export const doubleEncodedState: Fix = {
  id: 'double-encoded-state',
  title: 'Upload state that was percent-encoded twice is decoded once',
  symptom: '`BLOB_UPLOAD_INVALID` after the client encoded `%` again',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ route, query }) => {
    if (route.kind !== 'upload') return undefined;
    const decoded = decodeEscapedState(query);
    return decoded === query ? undefined : { note: 'decoded the upload state once', query: decoded };
  },
};
