import type { Digest } from '../domain/digest.ts';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import { type BlobFinderOptions, createBlobFinder } from './blob-finder.ts';
import { moveIntoPlace } from './commit.ts';
import { createFileReader } from './file-reader.ts';
import type { FileStatus } from './files.ts';
import type { OpenFile } from './open-files.ts';
import type { BlobReader, ByteRange, StoredBlob } from './types.ts';

export interface BlobFilesOptions extends BlobFinderOptions {
  /** Opening, committing and removing the same blob take turns. */
  readonly turns: KeyedQueue<Digest>;
}

/** The files of complete blobs. */
export interface BlobFiles {
  open(digest: Digest): Promise<LentBlob | undefined>;
  /** Makes a complete, synced part file the blob's. Rejects when that fails; then nothing is stored. */
  commit(digest: Digest, part: string, status: FileStatus): Promise<void>;
  /** Removes the blob unless it is being read, or `isNeeded` says so. Rejects when the file system refuses. */
  evict(digest: Digest, isNeeded: () => boolean): Promise<boolean>;
  /** Removes the blob; whoever reads it keeps it to the end. Rejects when the file system refuses. */
  remove(digest: Digest): Promise<void>;
}

/** A stored blob with the open file itself, for a fill that finds the blob there already. */
export interface LentBlob extends StoredBlob {
  readonly opened: OpenFile;
}

export function createBlobFiles(options: BlobFilesOptions): BlobFiles {
  const { files, layout, contents, openFiles, turns } = options;
  const finder = createBlobFinder(options);

  function lend(digest: Digest, opened: OpenFile): LentBlob {
    const { fd } = opened.file;
    const { size } = opened.status;
    contents.used('blob', digest);
    const reader = (range?: ByteRange): BlobReader =>
      createFileReader(options, {
        fd,
        start: range?.start ?? 0,
        end: range === undefined ? size : range.end + 1,
        onReleased: openFiles.lease(digest, opened),
        onReadError: (error) => void turns.run(digest, () => finder.discard(digest, error.message)),
      });
    return { size, opened, reader, close: openFiles.lease(digest, opened) };
  }

  async function remove(digest: Digest): Promise<void> {
    openFiles.drop(digest);
    // The file first: a row without a file mends itself, a file without a row takes space that nobody counts.
    await files.remove(layout.content('blob', digest));
    contents.remove('blob', digest);
  }

  return {
    async open(digest) {
      const opened = openFiles.get(digest);
      if (opened !== undefined) return lend(digest, opened);
      return turns.run(digest, async () => {
        const already = openFiles.get(digest);
        if (already !== undefined) return lend(digest, already);
        const found = await finder.open(digest);
        if (found === undefined) return undefined;
        const added = openFiles.add(digest, found.fd, found.status);
        const blob = lend(digest, added.opened);
        added.release();
        return blob;
      });
    },
    commit: (digest, part, status) =>
      turns.run(digest, async () => {
        const path = layout.content('blob', digest);
        openFiles.drop(digest);
        try {
          await moveIntoPlace(files, part, path);
          contents.add('blob', digest, status.size, status.modified);
        } catch (error) {
          await files.remove(path).catch(() => undefined);
          contents.remove('blob', digest);
          throw error;
        }
      }),
    evict: (digest, isNeeded) =>
      turns.run(digest, async () => {
        if (openFiles.isLeased(digest) || isNeeded()) return false;
        await remove(digest);
        return true;
      }),
    remove: (digest) => turns.run(digest, () => remove(digest)),
  };
}
