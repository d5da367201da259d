import { createDigester, type Digest, type DigestAlgorithm } from '../domain/digest.ts';
import { createFileReader, type FileReading } from './file-reader.ts';

/**
 * The digest of the first `size` bytes of an open file. `pause` is asked behind each chunk and may hold up the next one.
 * Rejects with the file system's error, when the file is shorter, and with what `pause` rejects with.
 */
export async function hashFile(
  reading: FileReading,
  fd: number,
  size: number,
  algorithm: DigestAlgorithm,
  pause?: (length: number) => Promise<void> | undefined,
): Promise<Digest> {
  const digester = createDigester(algorithm);
  const released = Promise.withResolvers<void>();
  const reader = createFileReader(reading, {
    fd,
    start: 0,
    end: size,
    onReleased: released.resolve,
    onReadError: () => undefined,
  });
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      digester.update(chunk);
      await pause?.(chunk.length);
    }
    return digester.digest();
  } finally {
    reader.close();
    // A chunk that is being read ahead must not meet a descriptor that means another file by then.
    await released.promise;
  }
}
