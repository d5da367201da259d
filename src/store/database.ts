import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Warn } from './health.ts';
import { SCHEMA_STEPS } from './schema.ts';
import { SQLITE_CORRUPT, SQLITE_NOTADB, sqliteCode } from './sqlite-error.ts';
import { prepareStatements, type Statements } from './statements.ts';

/** The facts database with its statements. Calls throw SQLite's errors, except damage, which is repaired by starting anew. */
export interface Database {
  run<T>(action: (statements: Statements) => T): T;
  /** All or nothing. `durable`: survives a loss of power when the call returns; otherwise the end of the process. */
  transact(action: (statements: Statements) => void, durable?: 'durable'): void;
  /** Does it and takes it all back. */
  rehearse(action: (statements: Statements) => void): void;
  /** Whether it was made now, or was not closed with all files listed: there may be files that it does not list. */
  readonly mayLackFiles: boolean;
  close(allFilesAreListed: boolean): void;
}

interface Connection {
  readonly handle: DatabaseSync;
  readonly statements: Statements;
  readonly isNew: boolean;
  /** Whether it was not closed with all files listed. */
  readonly wasLeftOpen: boolean;
}

/**
 * Opens the facts database, or makes one. A damaged one is moved aside and a new one made.
 * @throws an Error whose message is one plain sentence when a newer manifix wrote it, or SQLite cannot open it
 */
export function openDatabase(path: string, warn: Warn): Database {
  let connection = connectOrRebuild(path, warn);
  let wasRebuilt = false;

  function run<T>(action: (statements: Statements) => T): T {
    try {
      return action(connection.statements);
    } catch (error) {
      if (!isDamage(error)) throw error;
      connection.handle.close();
      moveAside(path, warn);
      connection = connect(path);
      connection.statements.beginSession.run(Date.now());
      wasRebuilt = true;
      return action(connection.statements);
    }
  }

  const database: Database = {
    mayLackFiles: connection.isNew || connection.wasLeftOpen,
    run,
    transact: (action, durable) =>
      run((statements) => {
        if (durable) connection.handle.exec('PRAGMA synchronous = FULL');
        connection.handle.exec('BEGIN IMMEDIATE');
        try {
          action(statements);
          connection.handle.exec('COMMIT');
        } catch (error) {
          if (connection.handle.isTransaction) connection.handle.exec('ROLLBACK');
          throw error;
        } finally {
          if (durable) connection.handle.exec('PRAGMA synchronous = NORMAL');
        }
      }),
    rehearse: (action) =>
      run((statements) => {
        connection.handle.exec('BEGIN IMMEDIATE');
        try {
          action(statements);
        } finally {
          if (connection.handle.isTransaction) connection.handle.exec('ROLLBACK');
        }
      }),
    close(allFilesAreListed) {
      try {
        if (allFilesAreListed && !wasRebuilt) connection.statements.endSessions.run();
      } finally {
        connection.handle.close();
      }
    },
  };
  run((statements) => statements.beginSession.run(Date.now()));
  return database;
}

function connectOrRebuild(path: string, warn: Warn): Connection {
  try {
    return connect(path);
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    if (!isDamage(error)) throw cannotOpen(path, error);
    moveAside(path, warn);
    return connect(path);
  }
}

function connect(path: string): Connection {
  const handle = new DatabaseSync(path, { timeout: 1000 });
  try {
    // In WAL mode NORMAL survives the end of the process; FULL, set where it is needed, also a loss of power.
    handle.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864');
    const version = Number(handle.prepare('PRAGMA user_version').get()?.user_version);
    if (version > SCHEMA_STEPS.length) throw newerDatabase(path, version);
    for (let step = version; step < SCHEMA_STEPS.length; step += 1) {
      handle.exec(`BEGIN; ${SCHEMA_STEPS[step]}; PRAGMA user_version = ${step + 1}; COMMIT`);
    }
    const statements = prepareStatements(handle);
    const wasLeftOpen = Number(statements.sessions.get()?.count) > 0;
    return { handle, statements, isNew: version === 0, wasLeftOpen };
  } catch (error) {
    handle.close();
    throw error;
  }
}

function cannotOpen(path: string, cause: unknown): Error {
  return new Error(`The facts database ${path} cannot be opened: ${(cause as Error).message}.`, { cause });
}

function newerDatabase(path: string, version: number): Error {
  return new Error(
    `${path} has format ${version} of a newer manifix, and this one knows formats up to ${SCHEMA_STEPS.length}: ` +
      'run that version, or point cache.dir to another directory.',
  );
}

function moveAside(path: string, warn: Warn): void {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  warn('The facts database was damaged. It was moved aside and a new one made; cached content is kept.', { aside });
}

function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
