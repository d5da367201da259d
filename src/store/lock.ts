import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SQLITE_BUSY, SQLITE_NOTADB, sqliteCode } from './sqlite-error.ts';

/** Another process has the cache directory. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse';
}

/**
 * Claims a cache directory for this process. The claim is a lock of the operating system that SQLite takes on an otherwise
 * empty database, so it ends with the process, however that ends, and holds across containers, where process ids repeat.
 * @returns the function that gives the directory up
 * @throws a DirectoryInUse whose message is one plain sentence; SQLite's error when the lock fails otherwise
 */
export function lockDirectory(directory: string, lockFile: string): () => void {
  try {
    return claim(directory, lockFile);
  } catch (error) {
    if (sqliteCode(error) !== SQLITE_NOTADB) throw error;
    // Something else than a lock: nobody holds it.
    rmSync(lockFile);
    return claim(directory, lockFile);
  }
}

function claim(directory: string, lockFile: string): () => void {
  const handle = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    handle.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL) STRICT;
      DELETE FROM holder;
      INSERT INTO holder VALUES (${process.pid});
      COMMIT;
      BEGIN IMMEDIATE;
    `);
    return () => handle.close();
  } catch (error) {
    const refusal = sqliteCode(error) === SQLITE_BUSY ? inUse(directory, handle) : error;
    handle.close();
    throw refusal;
  }
}

function inUse(directory: string, handle: DatabaseSync): Error {
  return new DirectoryInUse(`The cache directory ${directory} is in use by another manifix${holderName(handle)}.`);
}

function holderName(handle: DatabaseSync): string {
  try {
    return ` (process ${handle.prepare('SELECT pid FROM holder').get()?.pid})`;
  } catch {
    // The other process is writing its name this very moment.
    return '';
  }
}
