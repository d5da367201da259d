import { createFile, writeAll } from './commit.ts';
import type { FileStatus, Files } from './files.ts';
import type { RecentChunks } from './recent-chunks.ts';
import { type SharedFile, shareFile } from './shared-file.ts';

/** The file that a fill grows, behind the newest chunks in memory. */
export interface PartFile {
  readonly path: string;
  /** Undefined until it is open, and after `release`. */
  readonly file: SharedFile | undefined;
  /** Every byte in front of this position can be read from the file. */
  readonly written: number;
  /** Says that there are new chunks. */
  kick(): void;
  /** Settles when all chunks are written and synced. Rejects with the first error of the file system. */
  complete(): Promise<FileStatus>;
  /** Removes its name; what was written can still be read. Never rejects. */
  unlink(): Promise<void>;
  /** Lets go of the file. */
  release(): void;
}

export interface PartFileOptions {
  readonly files: Files;
  readonly path: string;
  readonly chunks: RecentChunks;
  readonly onWritten: () => void;
  /** Called at most once. Nothing is written from then on. */
  readonly onError: (error: unknown) => void;
}

// One trip to the thread pool for each chunk that arrives would cost more than the writing.
const BATCH_BYTES = 512 * 1024;
const BATCH_COUNT = 256;

/** Makes the file and writes it in the background, as much at a time as has come. Data is synced once, by `complete`. */
export function createPartFile({ files, path, chunks, onWritten, onError }: PartFileOptions): PartFile {
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
      const end = chunks.end;
      const share = shared.file.hold();
      try {
        await writeAll(files, shared.file.fd, chunks.from(written), written);
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
    const unwritten = chunks.end - written;
    return unwritten > 0 && (isEnding || unwritten >= BATCH_BYTES || chunks.count >= BATCH_COUNT);
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
      if (shared === undefined || written < chunks.end) throw new Error('the part file was given up');
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
