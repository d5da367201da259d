import { algorithmOf, type Digest } from '../domain/digest.ts';
import { outOfDescriptors } from '../domain/unavailable.ts';
import type { Contents } from './contents.ts';
import type { FileReading } from './file-reader.ts';
import { errorCode, type FileStatus, isNotAFile } from './files.ts';
import { hashFile } from './hash-file.ts';
import type { Health } from './health.ts';
import type { Layout } from './layout.ts';
import type { OpenFiles } from './open-files.ts';
import type { Quarantine } from './quarantine.ts';

export interface BlobFinderOptions extends FileReading {
  readonly layout: Layout;
  readonly contents: Contents;
  readonly openFiles: OpenFiles;
  readonly health: Health;
  readonly quarantine: Quarantine;
}

const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);

/** Tells a blob's file from what may be in its place. Calls for the same blob must take turns. */
export interface BlobFinder {
  /** Opens the blob's file after checking it; the caller closes it. Anything else in its place goes into quarantine. */
  open(digest: Digest): Promise<FoundFile | undefined>;
  /** Takes what is in the blob's place out of the cache. */
  discard(digest: Digest, reason: string): Promise<undefined>;
}

export interface FoundFile {
  readonly fd: number;
  readonly status: FileStatus;
}

export function createBlobFinder(options: BlobFinderOptions): BlobFinder {
  const { files, layout, contents, openFiles, health, quarantine } = options;

  async function discard(digest: Digest, reason: string): Promise<undefined> {
    openFiles.drop(digest);
    await quarantine.take('blob', digest, reason).catch(health.failed);
    return undefined;
  }

  async function open(digest: Digest): Promise<FoundFile | undefined> {
    const path = layout.content('blob', digest);
    try {
      const fd = await openFreeingDescriptors(path);
      return await checked(digest, fd);
    } catch (error) {
      const code = errorCode(error);
      if (OUT_OF_DESCRIPTORS.has(code)) throw outOfDescriptors(error);
      if (isNotAFile(error)) return discard(digest, 'something else is in its place');
      if (code !== 'ENOENT') health.failed(error);
      else if (contents.find('blob', digest) !== undefined) contents.remove('blob', digest);
      return undefined;
    }
  }

  async function openFreeingDescriptors(path: string): Promise<number> {
    try {
      return await files.openForReading(path);
    } catch (error) {
      if (!OUT_OF_DESCRIPTORS.has(errorCode(error))) throw error;
      openFiles.dropAll();
      return files.openForReading(path);
    }
  }

  async function checked(digest: Digest, fd: number): Promise<FoundFile | undefined> {
    let isKept = false;
    try {
      const status = files.status(fd);
      const defect = await findDefect(digest, fd, status);
      if (defect !== undefined) return await discard(digest, defect);
      isKept = true;
      return { fd, status };
    } finally {
      if (!isKept) await files.close(fd).catch(() => undefined);
    }
  }

  async function findDefect(digest: Digest, fd: number, status: FileStatus): Promise<string | undefined> {
    if (!status.isFile) return 'something else is in its place';
    const record = contents.find('blob', digest);
    if (record !== undefined && record.size !== status.size) {
      return `it has ${status.size} bytes instead of ${record.size}`;
    }
    if (record?.modified === status.modified) return undefined;
    const actual = await hashFile(options, fd, status.size, algorithmOf(digest));
    if (actual !== digest) return `its digest is ${actual}`;
    relist(digest, status);
    return undefined;
  }

  function relist(digest: Digest, status: FileStatus): void {
    try {
      contents.add('blob', digest, status.size, status.modified);
    } catch (error) {
      // It is right, so it can be served; the next one to open it will hash it again.
      health.failed(error);
    }
  }

  return { open, discard };
}
