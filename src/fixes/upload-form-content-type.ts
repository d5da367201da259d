import { headerValue, withHeader } from '../domain/headers.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { queryValue } from '../domain/query.ts';
import type { Fix, RequestView } from './fix.ts';

/** docker-registry reads a body that is declared as a form as a form, and stores nothing of it. */
export const uploadFormContentType: Fix = {
  id: 'upload-form-content-type',
  title: 'An uploaded blob is sent on as application/octet-stream, whatever it was called',
  symptom: '`DIGEST_INVALID` on PUT or 500 on PATCH although the digest is right',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    if (!view.hasBody || !uploadsBlob(view)) return undefined;
    if (headerValue(view.headers, 'Content-Type') === OCTET_STREAM) return undefined;
    return {
      note: `Content-Type set to ${OCTET_STREAM}`,
      headers: withHeader(view.headers, 'Content-Type', OCTET_STREAM),
    };
  },
};

function uploadsBlob({ method, route, query }: RequestView): boolean {
  if (route.kind === 'upload') return method === 'PUT' || method === 'PATCH';
  return route.kind === 'upload-start' && method === 'POST' && queryValue(query, 'digest') !== undefined;
}
