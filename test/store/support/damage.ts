import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Store } from '../../../src/store/open-store.ts';
import type { Sample } from './bytes.ts';
import { createReadySource } from './manual-source.ts';

/** Stores a blob whole. */
export async function storeSample({ blobs }: Store, { bytes, digest }: Sample): Promise<void> {
  expect(await blobs.startFill(digest, createReadySource(bytes)).finished).toBe(true);
}

/** Flips one bit of a file. */
export async function damage(path: string, position = 0): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

/** Where a manifest of that digest belongs. */
export function manifestPath(directory: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(directory, 'v1', 'manifests', algorithm, hex.slice(0, 2), hex);
}
