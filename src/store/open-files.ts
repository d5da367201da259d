import { LRUCache } from 'lru-cache';
import type { Digest } from '../domain/digest.ts';
import { openFileLimit } from '../lib/open-file-limit.ts';
import type { FileStatus, Files } from './files.ts';
import { type SharedFile, shareFile } from './shared-file.ts';

/** A blob's file whose size and digest were found right, as it was then. */
export interface OpenFile {
  readonly file: SharedFile;
  readonly status: FileStatus;
}

/** Keeps files open that are read often, and knows which blobs are being read. */
export interface OpenFiles {
  /** Undefined when it is not open, or was changed since; then it has been closed. */
  get(digest: Digest): OpenFile | undefined;
  /** Takes over the descriptor. The returned `release` gives back the caller's share. */
  add(digest: Digest, fd: number, status: FileStatus): { readonly opened: OpenFile; readonly release: () => void };
  /** Closes it, as soon as nobody reads it. */
  drop(digest: Digest): void;
  dropAll(): void;
  /** Marks the blob as being read until the returned function is called. */
  lease(digest: Digest, opened: OpenFile): () => void;
  isLeased(digest: Digest): boolean;
}

// What is kept open for later must not be missing for the connections of clients.
const MAX_OPEN = Math.min(512, Math.ceil(openFileLimit() / 16));

/** `onUnleased` is called when a blob is not being read any more. */
export function createOpenFiles(files: Files, onUnleased: () => void): OpenFiles {
  const leases = new Map<Digest, number>();
  const cache = new LRUCache<Digest, { readonly opened: OpenFile; readonly release: () => void }>({
    max: MAX_OPEN,
    dispose: ({ release }) => release(),
  });

  return {
    get(digest) {
      const entry = cache.get(digest);
      if (entry === undefined) return undefined;
      if (isUnchanged(files, entry.opened)) return entry.opened;
      cache.delete(digest);
      return undefined;
    },
    add(digest, fd, status) {
      const { file, release } = shareFile(files, fd);
      const opened = { file, status };
      cache.set(digest, { opened, release: file.hold() });
      return { opened, release };
    },
    drop(digest) {
      cache.delete(digest);
    },
    dropAll() {
      cache.clear();
    },
    lease(digest, { file }) {
      const release = file.hold();
      leases.set(digest, (leases.get(digest) ?? 0) + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const rest = (leases.get(digest) ?? 1) - 1;
        if (rest > 0) leases.set(digest, rest);
        else leases.delete(digest);
        release();
        if (rest === 0) onUnleased();
      };
    },
    isLeased: (digest) => leases.has(digest),
  };
}

function isUnchanged(files: Files, { file, status }: OpenFile): boolean {
  try {
    const now = files.status(file.fd);
    return now.size === status.size && now.modified === status.modified;
  } catch {
    return false;
  }
}
