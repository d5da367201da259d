import { DatabaseSync } from 'node:sqlite';
import { SCHEMA_STEPS } from './schema.ts';

/**
 * Opens a facts database for reading, beside a manifix that uses it or without one.
 * @throws an Error whose message is one plain sentence when it cannot be read or has another format
 */
export function openReadOnly(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
    if (version !== SCHEMA_STEPS.length) {
      throw new Error(`it has format ${version}, and this manifix reads format ${SCHEMA_STEPS.length}`);
    }
    return database;
  } catch (error) {
    database?.close();
    throw new Error(`The facts database ${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
