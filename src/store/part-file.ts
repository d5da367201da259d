import { createFile, writeAll } from './commit.ts';
import type { FileStatus, Files } from './files.ts';
import type { RecentBytes } from './recent-bytes.ts';
import { type SharedFile, shareFile } from './shared-file.ts';

/** The file that a fill grows, behind the newest bytes in memory. */
export interface PartFile {
  readonly path: string;
  /** Undefined until it is open, and after `release`. */
  readonly file: SharedFile | undefined;
  /** Every byte in front of this position can be read from the file. */
  readonly written: number;
  /** Says that there are new bytes. */
  kick(): void;
  /** Settles when all bytes are written and synced. Rejects with the first error of the file system. */
  complete(): Promise<FileStatus>;
  /** Removes its name; what was written can still be read. Never rejects. */
  unlink(): Promise<void>;
  /** Lets go of the file. */
  release(): void;
}

export interface PartFileOptions {
  readonly files: Files;
  readonly path: string;
  readonly bytes: RecentBytes;
  readonly onWritten: () => void;
  /** Called at most once. Nothing is written from then on. */
  readonly onError: (error: unknown) => void;
}

/**
 * One trip to the thread pool for each chunk that arrives would cost more than the writing. More at once would keep the next
 * chunks waiting, and the kernel would look for single pieces of memory as large as that.
 */
const BATCH_BYTES = 512 * 1024;

/** Makes the file and writes it in the background, some at a time. Data is synced once, by `complete`. */
export function createPartFile({ files, path, bytes, onWritten, onError }: PartFileOptions): PartFile {
  let shared: ReturnType<typeof shareFile> | undefined;
  let written = 0;
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  let isReleased = false;
  let isEnding = false;
  let isWriting = true;
  let work = open();

  async function open(): Promise<void> {
    try {
      shared = shareFile(files, await createFile(files, path));
    } catch (error) {
      fail(error);
    }
    if (isReleased) release();
    await write();
  }

  async function write(): Promise<void> {
    isWriting = true;
    while (shared !== undefined && !isOver && isWorthWriting()) {
      const end = Math.min(bytes.end, written + BATCH_BYTES);
      const share = shared.file.hold();
      try {
        await writeAll(files, shared.file.fd, bytes.from(written, BATCH_BYTES), written);
        written = end;
        onWritten();
      } catch (error) {
        fail(error);
      } finally {
        share();
      }
    }
    isWriting = false;
  }

  function isWorthWriting(): boolean {
    const unwritten = bytes.end - written;
    return unwritten > 0 && (isEnding || unwritten >= BATCH_BYTES);
  }

  function fail(error: unknown): void {
    isOver = true;
    failure = { error };
    onError(error);
  }

  function release(): void {
    isOver = true;
    isReleased = true;
    const share = shared;
    shared = undefined;
    share?.release();
  }

  return {
    path,
    get file() {
      return shared?.file;
    },
    get written() {
      return written;
    },
    kick() {
      if (!isWriting) work = write();
    },
    async complete() {
      isEnding = true;
      await work;
      await write();
      if (failure) throw failure.error;
      if (shared === undefined || written < bytes.end) throw new Error('the part file was given up');
      await files.syncData(shared.file.fd);
      return files.status(shared.file.fd);
    },
    async unlink() {
      isOver = true;
      await work;
      await files.remove(path).catch(() => undefined);
    },
    release,
  };
}
