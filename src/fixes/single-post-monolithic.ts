import { queryValue, withoutQueryParameter } from '../domain/query.ts';
import type { Fix } from './fix.ts';

/**
 * distribution-spec lets a registry answer 202 to a blob that comes with the POST ("POST then PUT" is what is left then);
 * docker-registry does, drops the body, and clients take 202 for stored.
 */
export const singlePostMonolithic: Fix = {
  id: 'single-post-monolithic',
  title: 'A blob uploaded with a single POST is stored, by a session and a PUT',
  symptom: '202 to a POST with the blob, later `MANIFEST_BLOB_UNKNOWN`',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ method, route, query, hasBody }) => {
    if (method !== 'POST' || route.kind !== 'upload-start' || !hasBody) return undefined;
    const digest = queryValue(query, 'digest');
    if (digest === undefined || queryValue(query, 'mount') !== undefined) return undefined;
    return {
      note: 'made one POST into a session and a PUT',
      query: withoutQueryParameter(query, 'digest'),
      splitUpload: { digest },
    };
  },
};
