import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarArchive } from './ustar.ts';

/** The media types of the OCI image specification and of Docker's schema 2. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

/** The four manifest types that today's clients name in `Accept`. */
export const manifestTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
];

export const sampleNames = ['docker-amd64', 'oci-amd64', 'ocinomt-amd64', 'list', 'index', 'index-nomt'] as const;
export type SampleName = (typeof sampleNames)[number];

/** A blob of a sample image: a configuration or a layer. */
export interface SampleBlob {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
}

/** A tiny but valid image or index. `mediaType` is what a registry has to send as Content-Type. */
export interface SampleImage {
  readonly name: SampleName;
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
  readonly blobs: readonly SampleBlob[];
  readonly children: readonly SampleImage[];
}

type Architecture = 'amd64' | 'arm64';
type Family = 'docker' | 'oci';

const builders: Readonly<Record<SampleName, () => SampleImage>> = {
  'docker-amd64': () => image('docker-amd64', 'docker', 'amd64'),
  'oci-amd64': () => image('oci-amd64', 'oci', 'amd64'),
  'ocinomt-amd64': () => image('ocinomt-amd64', 'oci', 'amd64', 'without mediaType'),
  list: () => index('list', 'docker'),
  index: () => index('index', 'oci'),
  'index-nomt': () => index('index-nomt', 'oci', 'without mediaType'),
};

/** Builds one sample. Every call gives the same bytes. */
export function sampleImage(name: SampleName): SampleImage {
  return builders[name]();
}

/** Builds all samples, in the order of `sampleNames`. */
export function sampleImages(): SampleImage[] {
  return sampleNames.map(sampleImage);
}

/** The digest of bytes as the OCI specifications write it. */
export function sha256(bytes: Buffer | string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function image(name: SampleName, family: Family, architecture: Architecture, field?: 'without mediaType'): SampleImage {
  const types =
    family === 'docker'
      ? { manifest: mediaTypes.dockerManifest, config: mediaTypes.dockerConfig, layer: mediaTypes.dockerLayer }
      : { manifest: mediaTypes.ociManifest, config: mediaTypes.ociConfig, layer: mediaTypes.ociLayer };
  const archive = tarArchive({ 'hello.txt': `hello from ${name} ${architecture}\n` });
  const layer = blob(gzipSync(archive), types.layer);
  const config = blob(Buffer.from(JSON.stringify(configuration(architecture, sha256(archive)))), types.config);
  const document = {
    schemaVersion: 2,
    ...(field === 'without mediaType' ? {} : { mediaType: types.manifest }),
    config: descriptor(config),
    layers: [descriptor(layer)],
  };
  const bytes = Buffer.from(JSON.stringify(document, null, 2));
  return { name, bytes, digest: sha256(bytes), mediaType: types.manifest, blobs: [config, layer], children: [] };
}

function index(name: SampleName, family: Family, field?: 'without mediaType'): SampleImage {
  const mediaType = family === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const architectures: readonly Architecture[] = ['amd64', 'arm64'];
  const children = architectures.map((architecture) => image(name, family, architecture));
  const manifests = children.map((child, position) => ({
    ...descriptor(child),
    platform: { architecture: architectures[position], os: 'linux' },
  }));
  const document = { schemaVersion: 2, ...(field === 'without mediaType' ? {} : { mediaType }), manifests };
  const bytes = Buffer.from(JSON.stringify(document, null, 2));
  return { name, bytes, digest: sha256(bytes), mediaType, blobs: [], children };
}

function configuration(architecture: Architecture, diffId: string): object {
  return {
    architecture,
    os: 'linux',
    created: '2020-01-01T00:00:00Z',
    config: { Cmd: ['/hello'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: '2020-01-01T00:00:00Z', created_by: 'manifix test sample' }],
  };
}

function blob(bytes: Buffer, mediaType: string): SampleBlob {
  return { bytes, digest: sha256(bytes), mediaType };
}

function descriptor({ mediaType, digest, bytes }: { mediaType: string; digest: string; bytes: Buffer }): object {
  return { mediaType, digest, size: bytes.length };
}
