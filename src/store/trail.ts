import { algorithmOf, type Digest } from '../domain/digest.ts';
import type { BufferPool } from '../lib/buffer-pool.ts';
import { createNotice } from '../lib/notice.ts';
import { createFileReader, type FileReading } from './file-reader.ts';
import type { FileStatus } from './files.ts';
import type { HashThread } from './hash-thread.ts';
import { type Hashing, startHashing } from './hashing.ts';
import { createPartFile, type PartFile } from './part-file.ts';
import { createRecentBytes, type Lent } from './recent-bytes.ts';
import type { SharedFile } from './shared-file.ts';
import type { BlobReader } from './types.ts';

/** Where the bytes of a fill are: the newest in memory, all of them in a file. */
export interface Trail {
  readonly received: number;
  /** The file system failed: the bytes only pass through memory, at the pace of the slowest reader. */
  readonly isPassingThrough: boolean;
  /** Whether the first byte can still be read. */
  readonly isWhole: boolean;
  /** Starts the part file, and hashing in the way of the digest that is expected. */
  open(path: string, expected: Digest): void;
  /** Takes all bytes from a file that is complete. */
  adopt(file: SharedFile, size: number): void;
  /** Copies the bytes. */
  push(chunk: Buffer): void;
  /** The digest of all bytes that were pushed; nothing comes any more. */
  digest(): Promise<Digest>;
  /** Undefined when more may come at once; otherwise settles when it may. */
  room(): Promise<void> | undefined;
  /** A reader moved on or left. */
  readerMoved(): void;
  /** Bytes from memory, up to `limit`; undefined when they are only in the file. */
  recent(position: number, limit: number): Lent | undefined;
  /** @throws when the bytes are not in the file either */
  fromFile(position: number, limit: number): BlobReader;
  /** Resolves when the part file has all bytes and is synced. Rejects with the file system's error. */
  complete(): Promise<{ readonly path: string; readonly status: FileStatus }>;
  /** Removes the part file's name. Never rejects. */
  unlink(): Promise<void>;
  /** Lets go of the file and of memory: nobody will read any more. */
  release(): void;
}

export interface TrailOptions extends FileReading {
  /** Where the slowest reader is; undefined without readers. */
  readonly slowest: () => number | undefined;
  readonly onDiskError: (error: unknown) => void;
  /** As announced; undefined while nobody said it. */
  readonly size: () => number | undefined;
  readonly blocks: BufferPool;
  readonly hashThread: HashThread;
}

const RECENT_BYTES = 2 * 1024 * 1024;
const UNWRITTEN_BYTES = 4 * 1024 * 1024;

/**
 * Makes an empty trail. Its memory is bounded: `room` waits for hashing and the disk, or for the slowest reader once the disk
 * failed.
 */
export function createTrail(options: TrailOptions): Trail {
  const { slowest, onDiskError } = options;
  const bytes = createRecentBytes(options.blocks, options.size);
  const roomNotice = createNotice();
  let part: PartFile | undefined;
  let hashing: Hashing | undefined;
  let adopted: { readonly file: SharedFile; readonly size: number; readonly release: () => void } | undefined;
  let isPassingThrough = false;

  const inFile = () => adopted?.size ?? (part?.file === undefined ? 0 : part.written);
  // In front of this position memory is not needed: the bytes are hashed, and the file has them or every reader had them.
  const unneeded = () => Math.min(hashing?.hashed ?? 0, Math.max(inFile(), isPassingThrough ? (slowest() ?? 0) : 0));
  const hasRoom = () => bytes.end - Math.max(unneeded(), bytes.start) <= UNWRITTEN_BYTES;

  function tidy(): void {
    bytes.trim(unneeded(), RECENT_BYTES);
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
      return adopted?.size ?? bytes.end;
    },
    get isPassingThrough() {
      return isPassingThrough;
    },
    get isWhole() {
      return bytes.start <= inFile();
    },
    open(path, expected) {
      part = createPartFile({ files: options.files, path, bytes, onWritten: tidy, onError: passThrough });
      hashing = startHashing({
        thread: options.hashThread,
        bytes,
        algorithm: algorithmOf(expected),
        size: options.size(),
        onHashed: tidy,
      });
    },
    adopt(file, size) {
      adopted = { file, size, release: file.hold() };
    },
    push(chunk) {
      bytes.push(chunk);
      hashing?.kick();
      part?.kick();
    },
    async digest() {
      if (hashing === undefined) throw new Error('nothing was hashed');
      return hashing.digest();
    },
    room() {
      if (hasRoom()) return undefined;
      tidy();
      return hasRoom() ? undefined : roomNotice.wait();
    },
    readerMoved() {
      if (isPassingThrough) tidy();
    },
    recent: bytes.at,
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
      hashing?.cancel();
      bytes.clear();
    },
  };
}
