import { type HeaderList, headerValue, headerValues, withHeader } from '../domain/headers.ts';

/** A registry that forbids shared storing is right about its own content. */
const STAYS = /\b(?:no-store|private)\b/i;

/**
 * Says how caches behind manifix may keep a manifest: a tag has several representations and moves, a digest does
 * neither. Registries do not say it, so that shared caches mix what different clients accept.
 */
export function withFreshness(headers: HeaderList, referenceKind: 'tag' | 'digest'): HeaderList {
  const byTag = referenceKind === 'tag';
  const lifetime = byTag ? 'no-cache' : 'max-age=31536000, immutable';
  const stays = STAYS.test(headerValue(headers, 'Cache-Control') ?? '');
  const kept = stays ? headers : withHeader(headers, 'Cache-Control', lifetime);
  return byTag ? withVaryAccept(kept) : kept;
}

function withVaryAccept(headers: HeaderList): HeaderList {
  const members = headerValues(headers, 'Vary').flatMap((value) => value.split(',').map((member) => member.trim()));
  if (members.some((member) => /^(?:accept|\*)$/i.test(member))) return headers;
  return withHeader(headers, 'Vary', [...members, 'Accept'].join(', '));
}
