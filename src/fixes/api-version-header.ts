import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Fix } from './fix.ts';

const SIGNATURES = 'X-Registry-Supports-Signatures';

/** Docker up to 20.10 takes an answer without it for a registry of the first generation. */
export const apiVersionHeader: Fix = {
  id: 'api-version-header',
  title: 'Every answer carries Docker-Distribution-Api-Version',
  symptom: 'Docker up to 20.10 takes the registry for one of the first generation',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => completed(view.headers),
  response: ({ headers }) =>
    headerValue(headers, SIGNATURES) === undefined ? completed(headers) : withoutPromise(headers),
};

/** OpenShift's registry serves signatures below `/extensions/v2/`, which is not passed on; skopeo and podman fail without them. */
function withoutPromise(headers: HeaderList): { note: string; headers: HeaderList } {
  const kept = withoutHeaders(headers, SIGNATURES);
  return { note: `removed ${SIGNATURES}`, headers: completed(kept)?.headers ?? kept };
}

function completed(headers: HeaderList): { note: string; headers: HeaderList } | undefined {
  if (headerValue(headers, 'Docker-Distribution-Api-Version') !== undefined) return undefined;
  return {
    note: 'added Docker-Distribution-Api-Version',
    headers: withHeader(headers, 'Docker-Distribution-Api-Version', 'registry/2.0'),
  };
}
