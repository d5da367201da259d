import { randomUUID } from 'node:crypto';
import { type SampleImage, sha256 } from '../images.ts';

/** A stored manifest with the type it was pushed with. */
export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

interface Repository {
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
  readonly blobs: Map<string, Buffer>;
}

/** What a registry double stores, in memory. Tests may change it behind the back of its clients. */
export interface DoubleContent {
  repositories(): string[];
  /** Digest and manifest of a tag or digest. */
  manifest(repository: string, reference: string): { digest: string; manifest: StoredManifest } | undefined;
  manifests(repository: string): ReadonlyMap<string, StoredManifest>;
  putManifest(repository: string, reference: string, manifest: StoredManifest): string;
  /** Removes a tag, or a digest with all its tags. */
  deleteManifest(repository: string, reference: string): boolean;
  tags(repository: string): string[];
  blob(repository: string, digest: string): Buffer | undefined;
  putBlob(repository: string, bytes: Buffer): string;
  deleteBlob(repository: string, digest: string): boolean;
  /** Stores an image with its blobs and children. */
  addImage(repository: string, tag: string, image: SampleImage): void;
  /** Upload sessions by id. */
  readonly uploads: Map<string, Buffer>;
  openUpload(): string;
}

/** Makes an empty store. Repositories whose names give the same key show the same content. */
export function doubleContent(contentKey: (repository: string) => string): DoubleContent {
  const repositories = new Map<string, Repository>();
  const uploads = new Map<string, Buffer>();

  function repository(name: string): Repository {
    const key = contentKey(name);
    const existing = repositories.get(key);
    if (existing !== undefined) return existing;
    const created: Repository = { manifests: new Map(), tags: new Map(), blobs: new Map() };
    repositories.set(key, created);
    return created;
  }

  function openUpload(): string {
    const session = randomUUID();
    uploads.set(session, Buffer.alloc(0));
    return session;
  }

  return {
    repositories: () => [...repositories].filter(([, { manifests }]) => manifests.size > 0).map(([name]) => name),
    manifest: (name, reference) => findManifest(repository(name), reference),
    manifests: (name) => repository(name).manifests,
    putManifest: (name, reference, manifest) => storeManifest(repository(name), reference, manifest),
    deleteManifest: (name, reference) => removeManifest(repository(name), reference),
    tags: (name) => [...repository(name).tags.keys()],
    blob: (name, digest) => repository(name).blobs.get(digest),
    putBlob: (name, bytes) => storeBlob(repository(name), bytes),
    deleteBlob: (name, digest) => repository(name).blobs.delete(digest),
    addImage: (name, tag, image) => storeImage(repository(name), tag, image),
    uploads,
    openUpload,
  };
}

function findManifest({ manifests, tags }: Repository, reference: string) {
  const digest = tags.get(reference) ?? reference;
  const manifest = manifests.get(digest);
  return manifest === undefined ? undefined : { digest, manifest };
}

function storeManifest({ manifests, tags }: Repository, reference: string, manifest: StoredManifest): string {
  const digest = sha256(manifest.bytes);
  manifests.set(digest, manifest);
  if (reference !== digest) tags.set(reference, digest);
  return digest;
}

function removeManifest({ manifests, tags }: Repository, reference: string): boolean {
  if (tags.delete(reference)) return true;
  for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag);
  return manifests.delete(reference);
}

function storeBlob({ blobs }: Repository, bytes: Buffer): string {
  const digest = sha256(bytes);
  blobs.set(digest, bytes);
  return digest;
}

function storeImage(repository: Repository, tag: string, image: SampleImage): void {
  for (const { bytes } of image.blobs) storeBlob(repository, bytes);
  for (const child of image.children) storeImage(repository, child.digest, child);
  storeManifest(repository, tag, { bytes: image.bytes, mediaType: image.mediaType });
}
