import { type Digest, parseDigest } from '../domain/digest.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { answeredBlob } from './digest-header.ts';
import type { Fix } from './fix.ts';

/** containerd believes this header more than the bytes. Schema 1 is exempt: its digest leaves the signatures out. */
export const dockerContentDigestBad: Fix = {
  id: 'docker-content-digest-bad',
  title: 'A Docker-Content-Digest that is malformed or of other bytes is corrected',
  symptom: '`in header not a valid digest: invalid checksum digest format`',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    const value = headerValue(view.headers, 'Docker-Content-Digest');
    if (value !== undefined && view.inspection.shape === 'schema1' && parseDigest(value)) return undefined;
    return corrected(view.headers, view.digest);
  },
  response: (view) => corrected(view.headers, answeredBlob(view)),
};

function corrected(headers: HeaderList, digest: Digest | undefined): { note: string; headers: HeaderList } | undefined {
  const value = headerValue(headers, 'Docker-Content-Digest');
  if (digest === undefined || value === undefined || value === digest) return undefined;
  return {
    note: `replaced Docker-Content-Digest by ${digest}`,
    headers: withHeader(headers, 'Docker-Content-Digest', digest),
  };
}
