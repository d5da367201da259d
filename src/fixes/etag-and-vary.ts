import { type HeaderList, headerValue, headerValues, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Fix, ManifestView } from './fix.ts';

/** Registries and what stands in front of them leave quotes out, weaken the tag when they compress, or send none. */
export const etagAndVary: Fix = {
  id: 'etag-and-vary',
  title: 'The entity tag of a manifest is its digest, strong and quoted, and Vary names nothing that does not select',
  symptom: '`If-None-Match` never leads to 304',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    const headers = withVary(withEntityTag(view.headers, view));
    return headers === view.headers ? undefined : { note: 'corrected ETag or Vary', headers };
  },
  // A list may have been decoded, so that its registry's Vary is true no more. Of other answers manifix knows less.
  response: (view) => {
    const { kind } = view.request.route;
    if (kind !== 'catalog' && kind !== 'tags' && kind !== 'referrers') return undefined;
    const headers = withVary(view.headers);
    return headers === view.headers ? undefined : { note: 'corrected Vary', headers };
  },
};

function withEntityTag(headers: HeaderList, view: ManifestView): HeaderList {
  const wanted = `"${view.digest}"`;
  return headerValue(headers, 'ETag') === wanted ? headers : withHeader(headers, 'ETag', wanted);
}

/** manifix never compresses, so that Accept-Encoding selects nothing. */
function withVary(headers: HeaderList): HeaderList {
  const members = headerValues(headers, 'Vary').flatMap((value) => value.split(',').map((member) => member.trim()));
  const kept = members.filter((member) => member.toLowerCase() !== 'accept-encoding');
  if (kept.length === members.length) return headers;
  return kept.length === 0 ? withoutHeaders(headers, 'Vary') : withHeader(headers, 'Vary', kept.join(', '));
}
