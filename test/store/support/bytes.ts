import { createHash } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Digest, type DigestAlgorithm, digestOf } from '../../../src/domain/digest.ts';
import type { BlobReader } from '../../../src/store/types.ts';
import { eventually } from '../../support/deadline.ts';

export const KIB = 1024;
export const MIB = 1024 * 1024;

export interface Sample {
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/** Bytes that look random and are the same for the same seed. */
export function sample(size: number, seed = 'sample', algorithm: DigestAlgorithm = 'sha256'): Sample {
  const block = createHash('shake256', { outputLength: 64 * KIB })
    .update(seed)
    .digest();
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += block.length) {
    block.writeUInt32LE(at, block.length - 4);
    block.copy(bytes, at);
  }
  return { bytes, digest: digestOf(bytes, algorithm) };
}

/** All that a reader gives, then closes it. */
export async function drain(reader: BlobReader): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      chunks.push(Buffer.from(chunk));
    }
  } finally {
    reader.close();
  }
  return Buffer.concat(chunks);
}

/** Reads until at least that many bytes came. */
export async function readAtLeast(reader: BlobReader, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < count; ) {
    const chunk = await reader.next();
    if (chunk === undefined) throw new Error(`the reader ended after ${length} of ${count} bytes`);
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Waits until this process has no file below the directory open: close(2) runs in the thread pool and announces itself to nobody. */
export async function noFileOpenBelow(directory: string): Promise<void> {
  await eventually('no open file', async () => (await openFilesBelow(directory)).length === 0 || undefined);
}

/** Paths below the directory that this process has open, but SQLite's. */
async function openFilesBelow(directory: string): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(join('/proc/self/fd', fd)).catch(() => ''));
  const paths = await Promise.all(links);
  return paths.filter((path) => path.startsWith(directory) && !/facts\.db|lock/.test(path));
}

/** Whether a promise is still open after everything that is ready now has run. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = () => {
    pending = false;
  };
  promise.then(settle, settle);
  await readyWork();
  return pending;
}

/** Lets everything run that is ready, and what that makes ready. */
export async function readyWork(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}
