import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { parseMediaType } from '../domain/media-type.ts';
import type { Fix } from './fix.ts';

const NOTE = 'wrote Content-Type as a plain media type';

/** distribution-spec, "Pulling manifests": a Content-Type should have no parameters; crane, oras and cosign compare the text. */
export const contentTypeCharset: Fix = {
  id: 'content-type-charset',
  title: 'The Content-Type of a manifest has no parameters and no capitals',
  symptom: '`unknown mime type: application/vnd.oci.image.index.v1+json; charset=utf-8`',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    if (view.method !== 'PUT' || view.route.kind !== 'manifest') return undefined;
    return plain(view.headers);
  },
  manifest: (view) => plain(view.headers),
  response: (view) => {
    if (view.request.route.kind !== 'referrers' || view.status !== 200) return undefined;
    return plain(view.headers);
  },
};

function plain(headers: HeaderList): { note: string; headers: HeaderList } | undefined {
  const value = headerValue(headers, 'Content-Type');
  const type = parseMediaType(value);
  if (type === undefined || type === value) return undefined;
  return { note: NOTE, headers: withHeader(headers, 'Content-Type', type) };
}
