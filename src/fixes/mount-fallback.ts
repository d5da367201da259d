import { queryText, queryValue, withoutQueryParameter } from '../domain/query.ts';
import { parseRepositoryName } from '../domain/reference.ts';
import type { Fix } from './fix.ts';
import { withoutMount } from './upload-query.ts';

/**
 * A mount saves an upload and is never needed: a registry may open a session instead. The pipeline does so for a registry
 * that refuses it; what cannot be mounted is not even tried.
 */
export const mountFallback: Fix = {
  id: 'mount-fallback',
  title: 'A mount that the registry refuses becomes an upload',
  symptom: '`unexpected status from POST request to ...?mount=...: 403 Forbidden`',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ method, route, query }) => {
    if (method !== 'POST' || route.kind !== 'upload-start' || queryValue(query, 'mount') === undefined)
      return undefined;
    const from = queryText(query, 'from');
    if (from !== undefined && parseRepositoryName(from) === undefined) {
      return { note: 'opened a session: the mount names no repository', query: withoutMount(query) };
    }
    return queryValue(query, 'origin') === undefined
      ? undefined
      : { note: 'left out the origin of the mount', query: withoutQueryParameter(query, 'origin') };
  },
};
