import { algorithmOf, createDigester, type Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Contents } from './contents.ts';
import type { Counters } from './counters.ts';
import { createFileReader, type FileReading } from './file-reader.ts';
import { errorCode, type FileStatus, isNotAFile } from './files.ts';
import type { Health, Warn } from './health.ts';
import type { Layout } from './layout.ts';
import type { OpenFiles } from './open-files.ts';

export interface BlobFinderOptions extends FileReading {
  readonly layout: Layout;
  readonly contents: Contents;
  readonly openFiles: OpenFiles;
  readonly health: Health;
  readonly counters: Counters;
  readonly warn: Warn;
}

const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);

/** Tells a blob's file from what may be in its place. Calls for the same blob must take turns. */
export interface BlobFinder {
  /** Opens the blob's file after checking it; the caller closes it. Anything else in its place is removed. */
  open(digest: Digest): Promise<FoundFile | undefined>;
  /** Removes and counts what is in the blob's place. */
  discard(digest: Digest, reason: string): Promise<undefined>;
}

export interface FoundFile {
  readonly fd: number;
  readonly status: FileStatus;
}

export function createBlobFinder(options: BlobFinderOptions): BlobFinder {
  const { files, layout, contents, openFiles, health, counters, warn } = options;

  async function discard(digest: Digest, reason: string): Promise<undefined> {
    counters.damaged += 1;
    warn('A cached blob was not intact. It was removed and will be fetched again.', { digest, reason });
    openFiles.drop(digest);
    contents.remove('blob', digest);
    await files.remove(layout.content('blob', digest)).catch(health.failed);
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
    const actual = await hashFile(options, fd, status.size, digest);
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

async function hashFile(reading: FileReading, fd: number, size: number, expected: Digest): Promise<Digest> {
  const digester = createDigester(algorithmOf(expected));
  const ignore = () => undefined;
  const reader = createFileReader(reading, { fd, start: 0, end: size, onReleased: ignore, onReadError: ignore });
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) digester.update(chunk);
  return digester.digest();
}

function outOfDescriptors(cause: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    explanation: 'manifix has run out of file descriptors for a moment. Try again, or raise its limit of open files.',
    headers: [['Retry-After', '1']],
    cause,
  });
}
