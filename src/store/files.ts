import {
  close,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  lstat,
  mkdir,
  open,
  readdir,
  read as readInto,
  rename,
  rm,
  type Stats,
  writev,
} from 'node:fs';
import { promisify } from 'node:util';

/** What the store asks about a file. */
export interface FileStatus {
  readonly isFile: boolean;
  readonly size: number;
  /** Time of the last change of content, in milliseconds since the epoch with fractions. */
  readonly modified: number;
}

/** Every file-system call of the store for blobs and manifests. Failures are the errno errors of node:fs. */
export interface Files {
  openForReading(path: string): Promise<number>;
  /** Makes a new file, open for reading and writing. Fails when the path exists. */
  create(path: string): Promise<number>;
  close(fd: number): Promise<void>;
  /** Synchronous: the inode of an open descriptor is in memory, and a trip to the thread pool costs 40 times as much. */
  status(fd: number): FileStatus;
  statusOf(path: string): Promise<FileStatus>;
  /** By callback: a promise and a FileHandle per chunk show in profiles of large blobs. */
  read(
    fd: number,
    buffer: Buffer,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void;
  /** Number of bytes written, which may be less than given. */
  write(fd: number, chunks: readonly Uint8Array[], position: number): Promise<number>;
  syncData(fd: number): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or whatever took its place. Nothing there is fine. */
  remove(path: string): Promise<void>;
  /** With its parents. One that is there already is fine. */
  makeDirectory(path: string): Promise<void>;
  list(directory: string): Promise<string[]>;
}

// Without O_NONBLOCK a FIFO in a blob's place would hold a thread of the pool until someone writes to it.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;

const openFile = promisify(open);
const closeFile = promisify(close);
const statusOfPath = promisify(lstat);
const syncFile = promisify(fsync);

/** The real file system. */
export const nodeFiles: Files = {
  openForReading: (path) => openFile(path, READ_FLAGS),
  create: (path) => openFile(path, CREATE_FLAGS, 0o600),
  close: closeFile,
  status: (fd) => fileStatus(fstatSync(fd)),
  statusOf: async (path) => fileStatus(await statusOfPath(path)),
  read: (fd, buffer, length, position, done) => readInto(fd, buffer, 0, length, position, done),
  write: (fd, chunks, position) =>
    new Promise((resolve, reject) => {
      writev(fd, chunks as Uint8Array[], position, (error, written) => (error ? reject(error) : resolve(written)));
    }),
  syncData: promisify(fdatasync),
  syncDirectory: async (path) => {
    const fd = await openFile(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await syncFile(fd);
    } finally {
      await closeFile(fd);
    }
  },
  rename: promisify(rename),
  remove: (path) => promisify(rm)(path, { recursive: true, force: true }),
  makeDirectory: async (path) => {
    await promisify(mkdir)(path, { recursive: true, mode: 0o700 });
  },
  list: (directory) => promisify(readdir)(directory),
};

function fileStatus(stats: Stats): FileStatus {
  return { isFile: stats.isFile(), size: stats.size, modified: stats.mtimeMs };
}

/** The errno name of a file-system error, such as `ENOENT`; empty for any other error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

// What open(2) says of a symbolic link, a socket and a device without a driver.
const NOT_A_FILE = new Set(['ELOOP', 'ENXIO', 'ENODEV']);

/** Whether `openForReading` failed because something else than a file or directory is there. */
export function isNotAFile(error: unknown): boolean {
  return NOT_A_FILE.has(errorCode(error));
}
