import { algorithmOf, type Digest } from '../domain/digest.ts';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import type { Contents, ListedContent } from './contents.ts';
import type { FileReading } from './file-reader.ts';
import { errorCode, type FileStatus, isNotAFile } from './files.ts';
import { hashFile } from './hash-file.ts';
import type { ContentKind, Layout } from './layout.ts';
import type { OpenFiles } from './open-files.ts';
import type { Quarantine } from './quarantine.ts';

export interface ContentCheckOptions extends FileReading {
  readonly layout: Layout;
  readonly contents: Contents;
  readonly openFiles: OpenFiles;
  readonly quarantine: Quarantine;
  /** Removing a file takes turns with whoever opens or stores it. */
  readonly turns: Readonly<Record<ContentKind, KeyedQueue<Digest>>>;
}

/** What became of a listed file. `missing` and `damaged` ones are not listed any more; `unreadable` says why it is not known. */
export type ContentCheck =
  | { readonly outcome: 'intact' }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'damaged' | 'unreadable'; readonly reason: string };

/**
 * `pause` is called behind each chunk with its length and may hold up the next one. Rejects with the signal's reason when it
 * aborts.
 */
export type CheckContent = (
  content: ListedContent,
  signal: AbortSignal,
  pause?: (length: number) => Promise<void> | undefined,
) => Promise<ContentCheck>;

/**
 * Hashes a listed file anew and puts one that is not what it should be into quarantine. Readers are not held up: the file is
 * read beside them, and those that read a damaged one keep it.
 */
export function createContentCheck(options: ContentCheckOptions): CheckContent {
  const { files, layout, contents, openFiles, quarantine, turns } = options;

  async function damaged({ kind, digest }: ListedContent, reason: string, seen?: FileStatus): Promise<ContentCheck> {
    return turns[kind].run(digest, async () => {
      const now = await files.statusOf(layout.content(kind, digest)).catch(() => undefined);
      const isTheSame = seen === undefined || (now?.modified === seen.modified && now.size === seen.size);
      // What was seen was evicted in the meantime, or somebody else found it damaged.
      if (now === undefined || !isTheSame) return { outcome: 'intact' };
      if (kind === 'blob') openFiles.drop(digest);
      await quarantine.take(kind, digest, reason);
      return { outcome: 'damaged', reason };
    });
  }

  async function missing({ kind, digest }: ListedContent): Promise<ContentCheck> {
    return turns[kind].run(digest, async () => {
      const isThere = await files.statusOf(layout.content(kind, digest)).then(
        () => true,
        (error) => errorCode(error) !== 'ENOENT',
      );
      if (isThere || contents.find(kind, digest) === undefined) return { outcome: 'intact' };
      contents.remove(kind, digest);
      return { outcome: 'missing' };
    });
  }

  async function inspect(
    content: ListedContent,
    fd: number,
    pause: Parameters<CheckContent>[2],
  ): Promise<ContentCheck> {
    const { kind, digest, size, modified } = content;
    const status = files.status(fd);
    if (!status.isFile) return damaged(content, 'something else is in its place', status);
    if (status.size !== size) return damaged(content, `it has ${status.size} bytes instead of ${size}`, status);
    const actual = await hashFile(options, fd, size, algorithmOf(digest), pause);
    if (actual !== digest) return damaged(content, `its digest is ${actual}`, status);
    if (status.modified !== modified) contents.confirm(kind, digest, size, status.modified);
    return { outcome: 'intact' };
  }

  return async (content, signal, pause) => {
    let fd: number;
    try {
      fd = await files.openForReading(layout.content(content.kind, content.digest));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return missing(content);
      if (isNotAFile(error)) return damaged(content, 'something else is in its place');
      return { outcome: 'unreadable', reason: (error as Error).message };
    }
    try {
      return await inspect(content, fd, async (length) => {
        signal.throwIfAborted();
        await pause?.(length);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      return { outcome: 'unreadable', reason: (error as Error).message };
    } finally {
      await files.close(fd).catch(() => undefined);
    }
  };
}
