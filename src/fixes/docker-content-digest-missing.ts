import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { answeredBlob } from './digest-header.ts';
import type { Fix } from './fix.ts';

/** crane and oras refuse a HEAD without it; others ask again with GET. */
export const dockerContentDigestMissing: Fix = {
  id: 'docker-content-digest-missing',
  title: 'A missing Docker-Content-Digest is added',
  symptom: '`response did not include Docker-Content-Digest header`',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => completed(view.headers, view.digest),
  response: (view) => completed(view.headers, answeredBlob(view)),
};

function completed(headers: HeaderList, digest: Digest | undefined): { note: string; headers: HeaderList } | undefined {
  if (digest === undefined || headerValue(headers, 'Docker-Content-Digest') !== undefined) return undefined;
  return {
    note: `added Docker-Content-Digest ${digest}`,
    headers: withHeader(headers, 'Docker-Content-Digest', digest),
  };
}
