import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { FileStatus, Files } from '../../../src/store/files.ts';
import type { Random } from './scale.ts';

/** A file system in memory that knows what a disk would still have after a loss of power. */
export interface PowerLossFiles {
  readonly files: Files;
  /** Calls so far. */
  readonly calls: number;
  /**
   * Writes what is left after a loss of power to a directory: all that was synced, and of the rest whatever `random` keeps,
   * also torn writes, lengths without their bytes, and names without their files' content.
   */
  survive(directory: string, random: Random): void;
}

interface Inode {
  content: Buffer;
  durable: Buffer;
  /** Writes that were not synced. */
  pending: { readonly position: number; readonly bytes: Buffer }[];
  /** In milliseconds, whole seconds, so that the real file can have exactly the same. */
  modified: number;
}

/** A change of names, and whether a sync of its directory came after it. */
interface NameChange {
  readonly kind: 'link' | 'unlink' | 'directory';
  readonly path: string;
  readonly from?: string;
  readonly inode?: Inode;
  isDurable: boolean;
}

const SECTOR = 512;

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: in the modelled file system`), { code });
}

/** `root` is the cache directory as the store is told; `onCall` may end the process that runs, by throwing. */
export function createPowerLossFiles(root: string, onCall: (number: number) => void): PowerLossFiles {
  const names = new Map<string, Inode>();
  const directories = new Set<string>();
  const open = new Map<number, Inode>();
  const changes: NameChange[] = [];
  let calls = 0;
  let nextFd = 1_000_000;
  let seconds = 1_700_000_000;

  function called(): void {
    calls += 1;
    onCall(calls);
  }

  const inodeOf = (fd: number): Inode => {
    const inode = open.get(fd);
    if (inode === undefined) throw failure('EBADF');
    return inode;
  };
  const statusOf = (inode: Inode): FileStatus => ({
    ...{ isFile: true, size: inode.content.length, modified: inode.modified },
  });
  function opened(inode: Inode): number {
    nextFd += 1;
    open.set(nextFd, inode);
    return nextFd;
  }
  function change(entry: Omit<NameChange, 'isDurable'>): void {
    changes.push({ ...entry, isDurable: false });
  }

  const files: Files = {
    async openForReading(path) {
      called();
      const inode = names.get(path);
      if (inode === undefined) throw failure('ENOENT');
      return opened(inode);
    },
    async create(path) {
      called();
      if (!directories.has(dirname(path))) throw failure('ENOENT');
      if (names.has(path)) throw failure('EEXIST');
      const inode: Inode = { content: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [], modified: 0 };
      names.set(path, inode);
      change({ kind: 'link', path, inode });
      return opened(inode);
    },
    async close(fd) {
      open.delete(fd);
    },
    status: (fd) => statusOf(inodeOf(fd)),
    async statusOf(path) {
      called();
      const inode = names.get(path);
      if (inode === undefined) throw failure('ENOENT');
      return statusOf(inode);
    },
    read(fd, buffer, length, position, done) {
      const { content } = inodeOf(fd);
      const count = content.copy(buffer, 0, position, Math.min(content.length, position + length));
      setImmediate(done, null, count);
    },
    async write(fd, chunks, position) {
      called();
      const inode = inodeOf(fd);
      const bytes = Buffer.concat(chunks);
      inode.content = written(inode.content, position, bytes);
      inode.pending.push({ position, bytes });
      seconds += 1;
      inode.modified = seconds * 1000;
      return bytes.length;
    },
    async syncData(fd) {
      called();
      const inode = inodeOf(fd);
      inode.durable = inode.content;
      inode.pending = [];
    },
    async syncDirectory(path) {
      called();
      for (const entry of changes) entry.isDurable ||= dirname(entry.path) === path;
    },
    async rename(from, to) {
      called();
      const inode = names.get(from);
      if (inode === undefined || !directories.has(dirname(to))) throw failure('ENOENT');
      names.delete(from);
      names.set(to, inode);
      change({ kind: 'link', path: to, from, inode });
    },
    async remove(path) {
      called();
      if (names.delete(path)) change({ kind: 'unlink', path });
    },
    async makeDirectory(path) {
      called();
      // SQLite's files are real ones.
      mkdirSync(path, { recursive: true });
      for (let at = path; at.startsWith(root) && !directories.has(at); at = dirname(at)) {
        directories.add(at);
        change({ kind: 'directory', path: at });
      }
    },
    async list(path) {
      called();
      return [...names.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
    },
  };

  function survive(directory: string, random: Random): void {
    for (const [path, inode] of keptNames(changes, random)) {
      const target = join(directory, relative(root, path));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, remains(inode, random));
      utimesSync(target, inode.modified / 1000, inode.modified / 1000);
    }
  }

  return {
    files,
    get calls() {
      return calls;
    },
    survive,
  };
}

/** The names that a disk has after changes of which some are lost, without those in directories that are lost. */
function keptNames(changes: readonly NameChange[], random: Random): ReadonlyMap<string, Inode> {
  const kept = new Map<string, Inode>();
  const lostDirectories = new Set<string>();
  for (const { kind, path, from = '', inode, isDurable } of changes) {
    const isLost = !isDurable && random.oneIn(2);
    if (isLost && kind === 'directory') lostDirectories.add(path);
    if (isLost) continue;
    kept.delete(kind === 'unlink' ? path : from);
    if (inode !== undefined) kept.set(path, inode);
  }
  return new Map([...kept].filter(([path]) => !isBelow(path, lostDirectories)));
}

function isBelow(path: string, directories: ReadonlySet<string>): boolean {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) if (directories.has(at)) return true;
  return false;
}

function written(content: Buffer, position: number, bytes: Buffer): Buffer {
  const grown = Buffer.alloc(Math.max(content.length, position + bytes.length));
  content.copy(grown);
  bytes.copy(grown, position);
  return grown;
}

/** What a disk may have of a file: the synced bytes, and of each later write all, nothing, or some sectors. */
function remains(inode: Inode, random: Random): Buffer {
  let content = inode.durable;
  for (const { position, bytes } of inode.pending) {
    if (random.oneIn(3)) continue;
    const isTorn = random.oneIn(3);
    const length = isTorn ? random.below(bytes.length / SECTOR + 1) * SECTOR : bytes.length;
    content = written(content, position, bytes.subarray(0, length));
  }
  // The length may have reached the disk although the bytes did not.
  if (random.oneIn(3)) content = written(content, inode.content.length, Buffer.alloc(0));
  return content;
}
