import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseRepositoryName } from '../../src/domain/reference.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createLayout } from '../../src/store/layout.ts';
import { createBlobGenerator } from './blob.ts';
import { REPOSITORY } from './sizes.ts';

/** The size of each of these blobs, in bytes. */
export const SMALL_BLOB = 64;

const BLOBS_PER_TRANSACTION = 10_000;

/**
 * Writes a cache directory as manifix leaves it, with `count` blobs of the seeds from 0 on that anybody may read. Far quicker
 * than to let manifix fetch them, as nothing is synced.
 */
export function writeCachedBlobs(directory: string, upstream: string, count: number): void {
  const layout = createLayout(directory);
  mkdirSync(layout.parts, { recursive: true });
  const generate = createBlobGenerator();
  const repository = parseRepositoryName(REPOSITORY) ?? '';
  const directories = new Set<string>();
  const database = openDatabase(layout.facts, () => undefined);
  for (let first = 0; first < count; first += BLOBS_PER_TRANSACTION) {
    database.transact((statements) => {
      for (let seed = first; seed < Math.min(first + BLOBS_PER_TRANSACTION, count); seed += 1) {
        const blob = generate(seed, SMALL_BLOB);
        const digest = blob.digest();
        const path = layout.content('blob', digest);
        if (!directories.has(dirname(path))) mkdirSync(dirname(path), { recursive: true });
        directories.add(dirname(path));
        const modified = writeFile(path, blob.slice(0, 16), blob.slice(16, SMALL_BLOB));
        statements.putContent.run('blob', digest, SMALL_BLOB, modified, seed, null);
        statements.putLink.run(upstream, repository, 'blob', digest, 'open');
      }
    });
  }
  database.close(true);
}

/** The time of its last change, in milliseconds. */
function writeFile(path: string, ...chunks: readonly Buffer[]): number {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (const chunk of chunks) writeSync(fd, chunk);
    return fstatSync(fd).mtimeMs;
  } finally {
    closeSync(fd);
  }
}
