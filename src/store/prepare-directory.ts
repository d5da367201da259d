import { errorCode, type Files } from './files.ts';
import type { Layout } from './layout.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'it, or what it lies in, is not a directory',
  EEXIST: 'it, or what it lies in, is not a directory',
};

/**
 * Makes the directories of a cache and checks that files can be made there.
 * @throws an Error whose message is one plain sentence with the path and the reason
 */
export async function prepareDirectory(files: Files, layout: Layout): Promise<void> {
  try {
    await files.makeDirectory(layout.parts);
    await files.makeDirectory(layout.contents('blob'));
    await files.makeDirectory(layout.contents('manifest'));
    await files.close(await files.create(layout.probe));
    await files.remove(layout.probe);
  } catch (error) {
    throw unusable(layout.directory, error);
  }
}

function unusable(directory: string, error: unknown): Error {
  const code = errorCode(error);
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new Error(`The cache directory ${directory} cannot be used: ${reason}${code && ` (${code})`}.`, {
    cause: error,
  });
}
