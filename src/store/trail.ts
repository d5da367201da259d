import { createNotice } from '../lib/notice.ts';
import { createFileReader, type FileReading } from './file-reader.ts';
import type { FileStatus } from './files.ts';
import { createPartFile, type PartFile } from './part-file.ts';
import { createRecentChunks } from './recent-chunks.ts';
import type { SharedFile } from './shared-file.ts';
import type { BlobReader } from './types.ts';

/** Where the bytes of a fill are: the newest in memory, all of them in a file. */
export interface Trail {
  readonly received: number;
  /** The file system failed: the bytes only pass through memory, at the pace of the slowest reader. */
  readonly isPassingThrough: boolean;
  /** Whether the first byte can still be read. */
  readonly isWhole: boolean;
  /** Starts the part file. */
  open(path: string): void;
  /** Takes all bytes from a file that is complete. */
  adopt(file: SharedFile, size: number): void;
  push(chunk: Uint8Array): void;
  /** Undefined when more may come at once; otherwise settles when it may. */
  room(): Promise<void> | undefined;
  /** A reader moved on or left. */
  readerMoved(): void;
  /** Bytes from memory, up to `limit`; undefined when they are only in the file. */
  recent(position: number, limit: number): Uint8Array | undefined;
  /** @throws when the bytes are not in the file either */
  fromFile(position: number, limit: number): BlobReader;
  /** Resolves when the part file has all bytes and is synced. Rejects with the file system's error. */
  complete(): Promise<{ readonly path: string; readonly status: FileStatus }>;
  /** Removes the part file's name. Never rejects. */
  unlink(): Promise<void>;
  /** Lets go of the file: nobody will read any more. */
  release(): void;
}

export interface TrailOptions extends FileReading {
  /** Where the slowest reader is; undefined without readers. */
  readonly slowest: () => number | undefined;
  readonly onDiskError: (error: unknown) => void;
}

const RECENT_BYTES = 2 * 1024 * 1024;
const UNWRITTEN_BYTES = 4 * 1024 * 1024;
const CHUNK_COUNT = 1024;

/** Makes an empty trail. Its memory is bounded: `room` waits for the disk, or for the slowest reader once the disk failed. */
export function createTrail(options: TrailOptions): Trail {
  const { slowest, onDiskError } = options;
  const chunks = createRecentChunks();
  const roomNotice = createNotice();
  let part: PartFile | undefined;
  let adopted: { readonly file: SharedFile; readonly size: number; readonly release: () => void } | undefined;
  let isPassingThrough = false;

  const inFile = () => adopted?.size ?? (part?.file === undefined ? 0 : part.written);
  // In front of this position memory is not needed: the file has the bytes, or every reader had them.
  const unneeded = () => Math.max(inFile(), isPassingThrough ? (slowest() ?? 0) : 0);
  const hasRoom = () =>
    chunks.end - Math.max(unneeded(), chunks.start) <= UNWRITTEN_BYTES && chunks.count <= CHUNK_COUNT;

  function tidy(): void {
    chunks.trim(unneeded(), RECENT_BYTES, CHUNK_COUNT);
    if (hasRoom()) roomNotice.give();
  }

  function passThrough(error: unknown): void {
    isPassingThrough = true;
    onDiskError(error);
    void part?.unlink();
    tidy();
  }

  return {
    get received() {
      return adopted?.size ?? chunks.end;
    },
    get isPassingThrough() {
      return isPassingThrough;
    },
    get isWhole() {
      return chunks.start <= inFile();
    },
    open(path) {
      part = createPartFile({ files: options.files, path, chunks, onWritten: tidy, onError: passThrough });
    },
    adopt(file, size) {
      adopted = { file, size, release: file.hold() };
    },
    push(chunk) {
      chunks.push(chunk);
      part?.kick();
    },
    room() {
      if (hasRoom()) return undefined;
      tidy();
      return hasRoom() ? undefined : roomNotice.wait();
    },
    readerMoved() {
      if (isPassingThrough) tidy();
    },
    recent: (position, limit) => chunks.at(position, limit),
    fromFile(position, limit) {
      const file = adopted?.file ?? part?.file;
      const end = Math.min(limit, inFile());
      if (file === undefined || position >= end) throw new Error(`byte ${position} is neither in memory nor on disk`);
      const onReleased = file.hold();
      return createFileReader(options, { fd: file.fd, start: position, end, onReleased, onReadError: () => undefined });
    },
    async complete() {
      if (part === undefined) throw new Error('nothing was written');
      return { path: part.path, status: await part.complete() };
    },
    unlink: async () => part?.unlink(),
    release() {
      part?.release();
      adopted?.release();
    },
  };
}
