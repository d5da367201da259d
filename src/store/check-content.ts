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
  | { readonly outcome: 'intact' | 'missing' }
  | { readonly outcome: 'damaged' | 'unreadable'; readonly reason: string };

/** Called after each chunk with its length; may hold up the next one, and end the check by rejecting. */
export type Pause = (length: number) => Promise<void> | undefined;

export type CheckContent = (content: ListedContent, pause: Pause) => Promise<ContentCheck>;

/**
 * Hashes a listed file anew and puts one that is not what it should be into quarantine. Readers are not held up: the file is
 * read beside them, and those that read a damaged one keep it.
 */
export function createContentCheck(options: ContentCheckOptions): CheckContent {
  const { files, layout, contents, openFiles, quarantine, turns } = options;

  async function damaged(
    { kind, digest }: ListedContent,
    reason: string,
    seen: FileStatus | undefined,
  ): Promise<ContentCheck> {
    return turns[kind].run(digest, async () => {
      const now = await files.statusOf(layout.content(kind, digest)).catch(() => undefined);
      const wasReplaced = now?.modified !== (seen ?? now)?.modified || now?.size !== (seen ?? now)?.size;
      if (now === undefined || wasReplaced) return { outcome: 'intact' };
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

  async function inspect(content: ListedContent, fd: number, pause: Pause): Promise<ContentCheck> {
    const { kind, digest, size, modified } = content;
    const status = files.status(fd);
    if (!status.isFile) return damaged(content, 'something else is in its place', status);
    if (status.size !== size) return damaged(content, `it has ${status.size} bytes instead of ${size}`, status);
    const actual = await hashFile(options, fd, size, algorithmOf(digest), pause);
    if (actual !== digest) return damaged(content, `its digest is ${actual}`, status);
    if (status.modified !== modified) contents.confirm(kind, digest, size, status.modified);
    return { outcome: 'intact' };
  }

  return async (content, pause) => {
    let fd: number;
    try {
      fd = await files.openForReading(layout.content(content.kind, content.digest));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return missing(content);
      if (isNotAFile(error)) return damaged(content, 'something else is in its place', undefined);
      return { outcome: 'unreadable', reason: (error as Error).message };
    }
    try {
      return await inspect(content, fd, pause);
    } catch (error) {
      // Whatever ends the check from outside is no finding.
      if (errorCode(error) === '') throw error;
      return { outcome: 'unreadable', reason: (error as Error).message };
    } finally {
      await files.close(fd).catch(() => undefined);
    }
  };
}
