import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runSuccessfully } from '../../test/support/process.ts';

const WRITTEN_AT_ONCE = 512 * 1024;

/** Writes a new file of that many bytes and nothing else; gives the milliseconds that it took. */
export function writePlainFile(path: string, size: number): number {
  const bytes = Buffer.alloc(WRITTEN_AT_ONCE, 1);
  const fd = openSync(path, 'wx');
  const started = performance.now();
  for (let position = 0; position < size; ) position += writeSync(fd, bytes, 0, WRITTEN_AT_ONCE, position);
  const milliseconds = performance.now() - started;
  closeSync(fd);
  return milliseconds;
}

/**
 * Waits until everything that was written before is on disk, and leaves the kernel `size` bytes of free memory that were in
 * use a moment ago. A virtual machine has to ask its host for every other page, which takes longer than to fill it.
 */
export async function settle(directory: string, size: number): Promise<void> {
  await runSuccessfully('sync', []);
  const file = join(directory, 'settle');
  writePlainFile(file, size);
  rmSync(file);
}
