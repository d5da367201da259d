import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { mediaTypes } from '../../test/support/images.ts';
import { createBlobGenerator, wholeBlob } from './blob.ts';
import { KIB, MIB } from './sizes.ts';

interface Part {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** The image that the hit rows are measured on. */
export interface Image {
  readonly manifest: Part;
  readonly config: Part;
  readonly smallLayer: Part;
  readonly bigLayer: Part;
}

/** Builds it: a manifest of about half a KiB, as most are, a layer of 64 KiB and one of 256 MiB. */
export function createImage(): Image {
  const blob = createBlobGenerator();
  const config = part(mediaTypes.dockerConfig, Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux' })));
  const smallLayer = part(mediaTypes.dockerLayer, wholeBlob(blob(1, 64 * KIB)));
  const bigLayer = part(mediaTypes.dockerLayer, wholeBlob(blob(2, 256 * MIB)));
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: descriptor(config),
    layers: [smallLayer, bigLayer].map(descriptor),
  };
  const manifest = part(mediaTypes.dockerManifest, Buffer.from(JSON.stringify(document)));
  return { manifest, config, smallLayer, bigLayer };
}

function part(mediaType: string, bytes: Buffer): Part {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

function descriptor({ mediaType, digest, bytes }: Part): object {
  return { mediaType, size: bytes.length, digest };
}
