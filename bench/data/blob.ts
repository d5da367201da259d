import { createCipheriv } from 'node:crypto';
import { createDigester, type Digest } from '../../src/domain/digest.ts';

/** Bytes that follow from a seed and a size, that do not compress, and that need no memory of their own. */
export interface GeneratedBlob {
  readonly size: number;
  /** At most `length` bytes from `position` on; fewer where the pattern starts again. A view: do not write to it. */
  slice(position: number, length: number): Buffer;
  /** Whether these are the blob's bytes from `position` on. */
  matches(position: number, bytes: Uint8Array): boolean;
  digest(): Digest;
}

const HEAD_BYTES = 16;
const PATTERN_BYTES = 16 * 1024 * 1024;
const HASHED_AT_ONCE = 1024 * 1024;

/** Makes blobs. They share one pattern; the seed makes the first bytes differ, and with them the digest. */
export function createBlobGenerator(): (seed: number, size: number) => GeneratedBlob {
  const pattern = keyStream(PATTERN_BYTES);
  return (seed, size) => {
    const head = Buffer.from(String(seed).padStart(HEAD_BYTES, '0'));

    function slice(position: number, length: number): Buffer {
      const end = Math.min(position + length, size);
      if (position < HEAD_BYTES) return head.subarray(position, end);
      const start = position % PATTERN_BYTES;
      return pattern.subarray(start, Math.min(start + end - position, PATTERN_BYTES));
    }

    function digest(): Digest {
      const digester = createDigester();
      for (let position = 0; position < size; ) {
        const bytes = slice(position, HASHED_AT_ONCE);
        digester.update(bytes);
        position += bytes.length;
      }
      return digester.digest();
    }

    function matches(position: number, bytes: Uint8Array): boolean {
      for (let compared = 0; compared < bytes.length; ) {
        const expected = slice(position + compared, bytes.length - compared);
        if (expected.length === 0) return false;
        if (expected.compare(bytes, compared, compared + expected.length) !== 0) return false;
        compared += expected.length;
      }
      return true;
    }

    return { size, slice, matches, digest };
  };
}

/** All bytes of a blob in one piece. */
export function wholeBlob(blob: GeneratedBlob): Buffer {
  const bytes = Buffer.allocUnsafeSlow(blob.size);
  for (let position = 0; position < blob.size; ) position += blob.slice(position, blob.size).copy(bytes, position);
  return bytes;
}

/** The same bytes every time: AES in counter mode over zeros. */
function keyStream(length: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'manifix'), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}
