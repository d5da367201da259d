import { acceptedTypes, formatAccept } from '../domain/accept.ts';
import { readsOnlySchema1 } from '../domain/engines.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { isManifestType, isSchema1Type, MANIFEST_TYPES, type MediaType } from '../domain/media-type.ts';
import type { RequestView } from './fix.ts';

/** Whether the request reads a manifest: only there does Accept decide what comes back. */
export function readsManifest(view: RequestView): boolean {
  return view.route.kind === 'manifest' && (view.method === 'GET' || view.method === 'HEAD');
}

/**
 * The header fields with these manifest types and the wildcard as Accept, beside what an earlier fix put there.
 * Undefined when the client named a manifest type itself, is known to need schema 1, or nothing is missing.
 */
export function withManifestTypes(view: RequestView, added: readonly MediaType[]): HeaderList | undefined {
  if (!readsManifest(view) || choosesItself(view.clientHeaders)) return undefined;
  const present = acceptedTypes(view.headers);
  if (added.every((type) => present.includes(type))) return undefined;
  const types = MANIFEST_TYPES.filter((type) => present.includes(type) || added.includes(type));
  return withHeader(view.headers, 'Accept', formatAccept([...types, '*/*']));
}

function choosesItself(clientHeaders: HeaderList): boolean {
  const named = acceptedTypes(clientHeaders);
  if (named.some((type) => isManifestType(type) || isSchema1Type(type))) return true;
  return readsOnlySchema1(headerValue(clientHeaders, 'User-Agent'));
}
