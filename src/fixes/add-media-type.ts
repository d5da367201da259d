import { addMediaType } from '../domain/derive.ts';
import type { FixOption, FixOptions, ManifestChange, ManifestView } from './fix.ts';

/** The option of the fixes that change bytes; the pipeline looks for signatures and obeys it. */
export const FORCE: FixOption = {
  values: ['no', 'yes'],
  default: 'no',
  description: 'Change the manifest even when a signature or another document refers to its original digest.',
};

/** What a DELETE of a derived digest does: the pipeline obeys it. */
export const DELETE: FixOption = {
  values: ['explain', 'original'],
  default: 'explain',
  description:
    'explain: a DELETE of the derived digest is answered with the original one; original: deletes the original.',
};

/** Adds the `mediaType` that a manifest of this shape lacks. By digest the bytes are what was asked for, and stay. */
export function deriveMediaType(
  view: ManifestView,
  shape: 'index' | 'image',
  options: FixOptions,
): ManifestChange | undefined {
  if (view.reference.kind !== 'tag' || view.inspection.shape !== shape) return undefined;
  if (view.inspection.mediaType !== undefined) return undefined;
  const derived = addMediaType(view.bytes, shape);
  if ('declined' in derived) return undefined;
  return {
    note: `added mediaType to ${view.digest}`,
    derive: { ...derived, force: options.force === 'yes', kind: 'media-type-added' },
  };
}
