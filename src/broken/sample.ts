import { digestOf } from '../domain/digest.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_MANIFEST } from '../domain/media-type.ts';

/** The two blobs of a small image. */
export const LAYER = Buffer.from('What a layer holds does not matter here.\n');
export const CONFIG = Buffer.from(
  JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(LAYER)] } }),
);

/** A Docker manifest of these two. */
export const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: descriptor(DOCKER_CONFIG, CONFIG),
    layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', LAYER)],
  }),
);

/** An index as buildah used to push it: without the mediaType, which is optional in OCI. */
export const UNTYPED_INDEX = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    manifests: ['arm64', 'amd64'].map((architecture) => ({
      ...descriptor(OCI_MANIFEST, Buffer.from(architecture)),
      platform: { architecture, os: 'linux' },
    })),
  }),
);

function descriptor(mediaType: string, bytes: Uint8Array): object {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
