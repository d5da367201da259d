import { headerValue, withHeader } from '../domain/headers.ts';
import type { ManifestInspection } from '../domain/manifest.ts';
import {
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  type MediaType,
  parseMediaType,
} from '../domain/media-type.ts';
import type { Fix } from './fix.ts';

/**
 * The bytes win over the header: the digest covers them (image-spec, "Media Type Conflicts"). Bytes that could be read in
 * two ways have no type and change nothing.
 */
export const typeConflict: Fix = {
  id: 'type-conflict',
  title: 'A Content-Type that names another kind of manifest than the bytes are is corrected',
  symptom: '`rejecting ambiguous manifest`; `expected manifest but found index`',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    const named = parseMediaType(headerValue(view.headers, 'Content-Type'));
    const { type } = view.inspection;
    if (named === undefined || type === undefined || named === type) return undefined;
    if (!contradicts(named, view.inspection)) return undefined;
    return {
      note: `replaced ${named} by ${type}, which is what the bytes are`,
      headers: withHeader(view.headers, 'Content-Type', type),
    };
  },
};

/** Without a `mediaType` of its own, a body leaves the choice between Docker and OCI to the header. */
function contradicts(named: MediaType, inspection: ManifestInspection): boolean {
  const shape = shapeOf(named);
  return shape !== undefined && (inspection.mediaType !== undefined || shape !== inspection.shape);
}

function shapeOf(type: MediaType): ManifestInspection['shape'] | undefined {
  if (isIndexType(type)) return 'index';
  if (isImageManifestType(type)) return 'image';
  return isSchema1Type(type) ? 'schema1' : undefined;
}
