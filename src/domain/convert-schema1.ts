import { type Digest, digestOf, parseDigest } from './digest.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, type MediaType } from './media-type.ts';

/** Docker's image specification allows 127 layers; a document that lists far more is no image. */
const MAX_LAYERS = 500;

const LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

type Members = Readonly<Record<string, unknown>>;

/** What a schema 1 manifest says, from the base up. */
export interface Schema1Image {
  readonly entries: readonly Schema1Entry[];
  readonly architecture: string;
}

interface Schema1Entry {
  readonly layer: Digest;
  /** The step changed no file; its layer is a placeholder that no image needs. */
  readonly throwaway: boolean;
  /** The v1 image of this step. */
  readonly image: Members;
}

/** What only the bytes of a layer tell. */
export interface LayerContent {
  /** As the registry has it. */
  readonly size: number;
  readonly gzip: boolean;
  /** Of the uncompressed archive. */
  readonly diffId: Digest;
}

export interface ConvertedImage {
  readonly mediaType: MediaType;
  readonly manifest: Uint8Array;
  readonly config: { readonly digest: Digest; readonly bytes: Uint8Array };
}

/**
 * Reads a schema 1 manifest, whose lists begin with the newest step; the signatures were made over these bytes and mean
 * nothing for other ones. Undefined when it is not complete.
 */
export function readSchema1(bytes: Uint8Array): Schema1Image | undefined {
  const { fsLayers, history, architecture } = parseMembers(Buffer.from(bytes).toString());
  if (!Array.isArray(fsLayers) || !Array.isArray(history) || fsLayers.length !== history.length) return undefined;
  if (fsLayers.length === 0 || fsLayers.length > MAX_LAYERS) return undefined;
  const entries = fsLayers.map((layer, position) => entryOf(layer, history[position]));
  if (!entries.every((entry) => entry !== undefined)) return undefined;
  return { entries: entries.toReversed(), architecture: typeof architecture === 'string' ? architecture : 'amd64' };
}

function entryOf(layer: unknown, history: unknown): Schema1Entry | undefined {
  const { blobSum } = membersOf(layer);
  const digest = typeof blobSum === 'string' ? parseDigest(blobSum) : undefined;
  const { v1Compatibility } = membersOf(history);
  if (digest === undefined || typeof v1Compatibility !== 'string') return undefined;
  const image = parseMembers(v1Compatibility);
  return { layer: digest, throwaway: image.throwaway === true, image };
}

/** The layers that make up the image, from the base up; the same one may come twice. */
export function layersOf({ entries }: Schema1Image): readonly Digest[] {
  return entries.filter(({ throwaway }) => !throwaway).map(({ layer }) => layer);
}

/** Members of a v1 image that say nothing about the image as a whole, as Docker drops them. */
const V1_ONLY = new Set(['id', 'parent', 'parent_id', 'layer_id', 'Size', 'throwaway']);

/**
 * The same image as a schema 2 manifest and its config. A pure function of what it is given: same schema 1, same digests.
 * Undefined when the content of a layer is missing.
 */
export function convertSchema1(
  image: Schema1Image,
  contents: ReadonlyMap<Digest, LayerContent>,
): ConvertedImage | undefined {
  const layers = layersOf(image).map((digest) => ({ digest, content: contents.get(digest) }));
  const descriptors = layers.flatMap(({ digest, content }) =>
    content === undefined ? [] : [{ mediaType: content.gzip ? LAYER_GZIP : LAYER, size: content.size, digest }],
  );
  if (descriptors.length !== layers.length) return undefined;
  const newest = Object.entries({ ...image.entries.at(-1)?.image }).filter(([key]) => !V1_ONLY.has(key));
  const config = encode({
    architecture: image.architecture,
    os: 'linux',
    ...Object.fromEntries(newest),
    rootfs: { type: 'layers', diff_ids: layers.map(({ content }) => content?.diffId) },
    history: image.entries.map(historyOf),
  });
  const digest = digestOf(config);
  const manifest = encode({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: DOCKER_CONFIG, size: config.length, digest },
    layers: descriptors,
  });
  return { mediaType: DOCKER_MANIFEST, manifest, config: { digest, bytes: config } };
}

function historyOf({ image, throwaway }: Schema1Entry): object {
  const { created, author, comment } = image;
  const { Cmd } = membersOf(image.container_config);
  return {
    ...(typeof created === 'string' && { created }),
    ...(typeof author === 'string' && author !== '' && { author }),
    ...(Array.isArray(Cmd) && Cmd.length > 0 && { created_by: Cmd.join(' ') }),
    ...(typeof comment === 'string' && comment !== '' && { comment }),
    ...(throwaway && { empty_layer: true }),
  };
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parseMembers(text: string): Members {
  try {
    return membersOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
