import { dirname } from 'node:path';
import { errorCode, type Files } from './files.ts';

/** Makes a new file, and its directory if somebody removed that. Rejects with the file system's error. */
export async function createFile(files: Files, path: string): Promise<number> {
  try {
    return await files.create(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await files.makeDirectory(dirname(path));
    return files.create(path);
  }
}

/**
 * Gives a complete and synced file its final name, durably. Whatever interrupts it leaves either nothing or the whole file
 * there. Rejects with the file system's error.
 */
export async function moveIntoPlace(files: Files, from: string, to: string): Promise<void> {
  const directory = dirname(to);
  try {
    await files.rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await files.makeDirectory(directory);
    // The algorithm's directory may be new as well.
    await files.syncDirectory(dirname(dirname(directory)));
    await files.syncDirectory(dirname(directory));
    await files.rename(from, to);
  }
  await files.syncDirectory(directory);
}

/** Writes all chunks, however little the file system takes at a time. Rejects with its error, or when it takes nothing. */
export async function writeAll(
  files: Files,
  fd: number,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = chunks;
  let at = position;
  while (rest.length > 0) {
    const written = await files.write(fd, rest, at);
    if (written === 0) throw new Error('the file system takes no more bytes');
    at += written;
    rest = behind(rest, written);
  }
}

function behind(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let index = 0;
  for (let chunk = chunks[0]; chunk !== undefined && left >= chunk.length; chunk = chunks[index]) {
    left -= chunk.length;
    index += 1;
  }
  const [first, ...others] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(left), ...others];
}
