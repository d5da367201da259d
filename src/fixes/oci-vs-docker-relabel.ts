import { acceptsImageOf, type ImageFamily, relabelImage } from '../domain/relabel.ts';
import { DELETE, FORCE } from './add-media-type.ts';
import type { Fix } from './fix.ts';

/** Old Docker CLIs know no OCI types, and some OCI tools no Docker types; the images are the same. */
export const ociVsDockerRelabel: Fix = {
  id: 'oci-vs-docker-relabel',
  title: 'An image gets the media types of the other family, Docker or OCI, when fetched by tag',
  symptom: '`unsupported manifest media type and no default available`; `encountered remote ... (unknown)`',
  defaultMode: 'off',
  digest: 'by tag',
  options: {
    to: { values: ['docker', 'oci'], default: 'docker', description: 'The family whose media types images get.' },
    force: FORCE,
    delete: DELETE,
  },
  manifest: ({ reference, accepted, inspection, bytes, digest }, { to, force }) => {
    const family: ImageFamily = to === 'oci' ? 'oci' : 'docker';
    if (reference.kind !== 'tag' || inspection.shape !== 'image' || !acceptsImageOf(family, accepted)) return undefined;
    const relabelled = relabelImage(bytes, family);
    if ('declined' in relabelled) return { note: `left alone: ${relabelled.declined}`, declined: true };
    if (inspection.mediaType === relabelled.mediaType) return undefined;
    return {
      note: `relabelled the image ${digest} for ${family === 'oci' ? 'OCI' : 'Docker'} clients`,
      derive: { ...relabelled, force: force === 'yes', kind: 'relabelled' },
    };
  },
};
