import { type HeaderList, headerValue, headerValues, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { Fix, ManifestView } from './fix.ts';

/** A registry that forbids shared storing is right about its own content. */
const STAYS = /\b(?:no-store|private)\b/i;

/** One tag URL has several representations; nothing but `Vary` keeps a shared cache from mixing them. */
export const etagAndVary: Fix = {
  id: 'etag-and-vary',
  title: 'ETag, Vary and Cache-Control of a manifest say what may be cached, and how',
  defaultMode: 'on',
  manifest: (view) => {
    const headers = withVary(withCacheControl(withEntityTag(view.headers, view), view), view);
    return headers === view.headers ? undefined : { note: 'set ETag, Vary or Cache-Control', headers };
  },
};

function withEntityTag(headers: HeaderList, view: ManifestView): HeaderList {
  const wanted = `"${view.digest}"`;
  return headerValue(headers, 'ETag') === wanted ? headers : withHeader(headers, 'ETag', wanted);
}

function withCacheControl(headers: HeaderList, view: ManifestView): HeaderList {
  const wanted = view.reference.kind === 'tag' ? 'no-cache' : 'max-age=31536000, immutable';
  const value = headerValue(headers, 'Cache-Control');
  if (value === wanted || (value !== undefined && STAYS.test(value))) return headers;
  return withHeader(headers, 'Cache-Control', wanted);
}

/** By digest there is one representation. manifix never compresses, so that Accept-Encoding selects nothing. */
function withVary(headers: HeaderList, view: ManifestView): HeaderList {
  const values = headerValues(headers, 'Vary');
  const members = values.flatMap((value) => value.split(',')).flatMap((member) => member.trim() || []);
  const kept = members.filter((member) => member.toLowerCase() !== 'accept-encoding');
  const complete = view.reference.kind === 'digest' || kept.some((member) => /^(?:accept|\*)$/i.test(member));
  if (complete && kept.length === members.length) return headers;
  const wanted = complete ? kept : [...kept, 'Accept'];
  return wanted.length === 0 ? withoutHeaders(headers, 'Vary') : withHeader(headers, 'Vary', wanted.join(', '));
}
