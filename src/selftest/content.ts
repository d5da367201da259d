import type { Repository } from '../broken/message.ts';
import { CONFIG, LAYER } from '../broken/sample.ts';
import { digestOf } from '../domain/digest.ts';
import { DOCKER_MANIFEST, type MediaType, OCI_INDEX, OCI_MANIFEST, SCHEMA1 } from '../domain/media-type.ts';

/** What a repository holds, each under a tag of its own. No two repositories share a manifest or the blob, because manifix shares what it caches. */
export type Content = Readonly<Record<(typeof TAGS)[number] | 'blob', Uint8Array>>;

const TAGS = [
  'image',
  'docker',
  'index',
  'untyped-index',
  'untyped-image',
  'plain-image',
  'ambiguous',
  'inexact',
  'schema1',
  'big',
] as const;
const TYPES: Partial<Record<(typeof TAGS)[number], MediaType>> = {
  image: OCI_MANIFEST,
  docker: DOCKER_MANIFEST,
  'untyped-image': OCI_MANIFEST,
  'plain-image': OCI_MANIFEST,
  schema1: SCHEMA1,
};

/** Longer than what manifix reads whole. */
const BIG = 8 * 1024 * 1024;

/** Makes the content of a repository. */
export function contentOf(repository: string): Content {
  const common = { schemaVersion: 2, annotations: { repository } };
  const parts = {
    config: descriptor('application/vnd.oci.image.config.v1+json', CONFIG),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', LAYER)],
  };
  const image = bytesOf({ ...common, mediaType: OCI_MANIFEST, ...parts });
  const child = { ...descriptor(OCI_MANIFEST, image), platform: { os: 'linux', architecture: 'amd64' } };
  return {
    image,
    docker: bytesOf({
      ...common,
      mediaType: DOCKER_MANIFEST,
      config: descriptor('application/vnd.docker.container.image.v1+json', CONFIG),
      layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', LAYER)],
    }),
    index: bytesOf({ ...common, mediaType: OCI_INDEX, manifests: [child] }),
    'untyped-index': bytesOf({ ...common, manifests: [child] }),
    'untyped-image': bytesOf({ ...common, ...parts }),
    // Docker's types know no annotations; what makes it different from that of other repositories is a URL.
    'plain-image': bytesOf({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      ...parts,
      layers: parts.layers.map((layer) => ({ ...layer, urls: [`https://registry.invalid/${repository}`] })),
    }),
    // An index for one reader and an image for another.
    ambiguous: bytesOf({ ...common, manifests: [], ...parts }),
    // Go reads this as an index with a mediaType, JavaScript as one without.
    inexact: bytesOf({ ...common, MediaType: OCI_INDEX, manifests: [] }),
    schema1: bytesOf({
      schemaVersion: 1,
      name: repository,
      tag: 'schema1',
      architecture: 'amd64',
      fsLayers: [{ blobSum: digestOf(LAYER) }],
      history: [{ v1Compatibility: JSON.stringify({ id: 'a1', architecture: 'amd64', os: 'linux' }) }],
    }),
    blob: Buffer.from(`The blob of ${repository}.\n`),
    big: Buffer.concat([bytesOf({ ...common, mediaType: OCI_INDEX, manifests: [] }), Buffer.alloc(BIG, ' ')]),
  };
}

/** Puts the content and the blobs into a repository. */
export function fill({ manifests, blobs }: Repository, content: Content): void {
  for (const tag of TAGS) {
    const bytes = content[tag];
    for (const key of [tag, digestOf(bytes)]) manifests.set(key, { bytes, mediaType: TYPES[tag] ?? OCI_INDEX });
  }
  for (const bytes of [CONFIG, LAYER, content.blob]) blobs.set(digestOf(bytes), bytes);
}

function descriptor(mediaType: string, bytes: Uint8Array): object {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function bytesOf(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}
