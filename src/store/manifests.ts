import { LRUCache } from 'lru-cache';
import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import { createFile, moveIntoPlace, writeAll } from './commit.ts';
import type { Contents } from './contents.ts';
import { errorCode, type FileStatus, type Files, isNotAFile } from './files.ts';
import type { Health } from './health.ts';
import type { Layout } from './layout.ts';
import type { Quarantine } from './quarantine.ts';
import type { CanonicalManifest, ManifestStore } from './types.ts';

export interface ManifestsOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly contents: Contents;
  /** Reading, writing and removing the same manifest take turns. */
  readonly turns: KeyedQueue<Digest>;
  readonly health: Health;
  readonly quarantine: Quarantine;
  /** A manifest was stored. */
  onStored(): void;
}

export interface Manifests extends ManifestStore {
  /** Removes the manifest. Rejects when the file system refuses. */
  evict(digest: Digest): Promise<boolean>;
}

const MEMORY_COUNT = 100_000;
const MEMORY_BYTES = 64 * 1024 * 1024;

/** The manifest store: files named by digest, hashed again whenever they come from disk, in front of them memory. */
export function createManifests(options: ManifestsOptions): Manifests {
  const { files, layout, contents, turns, health, quarantine } = options;
  const memory = new LRUCache<Digest, CanonicalManifest>({
    max: MEMORY_COUNT,
    maxSize: MEMORY_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 1,
  });

  async function load(digest: Digest): Promise<CanonicalManifest | undefined> {
    const record = contents.find('manifest', digest);
    // Without the registry's own header fields it is of no use; the next one to be stored takes its place.
    if (record?.headers === undefined) return undefined;
    try {
      const bytes = await readWhole(files, layout.content('manifest', digest), record.size);
      if (bytes !== undefined && digestOf(bytes, algorithmOf(digest)) === digest) {
        const manifest = { digest, bytes, headers: record.headers };
        memory.set(digest, manifest);
        return manifest;
      }
      await quarantine.take('manifest', digest, 'its bytes are not those of its digest');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') contents.remove('manifest', digest);
      else if (!isNotAFile(error)) health.failed(error);
      else await quarantine.take('manifest', digest, 'something else is in its place').catch(health.failed);
    }
    return undefined;
  }

  async function save({ digest, bytes, headers }: CanonicalManifest): Promise<boolean> {
    if (contents.find('manifest', digest)?.headers !== undefined) return true;
    const part = layout.newPart(digest);
    const path = layout.content('manifest', digest);
    try {
      const { modified } = await writeSynced(files, part, bytes);
      await moveIntoPlace(files, part, path);
      contents.add('manifest', digest, bytes.length, modified, headers);
      health.worked('disk');
      return true;
    } catch (error) {
      health.failed(error);
      await files.remove(part).catch(() => undefined);
      return false;
    }
  }

  return {
    async get(digest) {
      const manifest = memory.get(digest) ?? (await turns.run(digest, async () => memory.get(digest) ?? load(digest)));
      if (manifest !== undefined) contents.used('manifest', digest);
      return manifest;
    },
    async put(manifest) {
      const { digest, bytes } = manifest;
      if (digestOf(bytes, algorithmOf(digest)) !== digest) throw new Error(`these bytes are not ${digest}`);
      const isStored = await turns.run(digest, () => {
        if (!memory.has(digest)) memory.set(digest, manifest);
        return save(memory.get(digest) ?? manifest);
      });
      if (isStored) options.onStored();
      return isStored;
    },
    evict: (digest) =>
      turns.run(digest, async () => {
        memory.delete(digest);
        await files.remove(layout.content('manifest', digest));
        contents.remove('manifest', digest);
        return true;
      }),
  };
}

/** The bytes of a regular file of that size; undefined when it is something else. */
async function readWhole(files: Files, path: string, size: number): Promise<Uint8Array | undefined> {
  const fd = await files.openForReading(path);
  try {
    const status = files.status(fd);
    if (!status.isFile || status.size !== size) return undefined;
    const bytes = Buffer.allocUnsafeSlow(size);
    const length = await new Promise<number>((resolve, reject) => {
      files.read(fd, bytes, size, 0, (error, count) => (error ? reject(error) : resolve(count)));
    });
    return length === size ? bytes : undefined;
  } finally {
    await files.close(fd).catch(() => undefined);
  }
}

async function writeSynced(files: Files, path: string, bytes: Uint8Array): Promise<FileStatus> {
  const fd = await createFile(files, path);
  try {
    await writeAll(files, fd, bytes.length > 0 ? [bytes] : [], 0);
    await files.syncData(fd);
    return files.status(fd);
  } finally {
    await files.close(fd).catch(() => undefined);
  }
}
