/** SQLite as the engine uses it: one file, several processes, short transactions. */

import { DatabaseSync } from 'node:sqlite';
import { privateFile } from './private-files.ts';
import { storingSync, whereStorable } from './storage-fault.ts';

/** How long a writer waits for another process's transaction, which lasts a few ms. */
const BUSY_TIMEOUT_MS = 10_000;
const SQLITE_BUSY = 5;

/**
 * - `full`: a commit is on disk when it returns, even if the power fails.
 * - `normal`: a commit survives the death of every process, and a power failure may take back the
 *   newest ones, in order.
 */
export type Durability = 'full' | 'normal';

/**
 * `migrations`: SQL that makes the schema, one step after the other. A step that has been released
 * never changes; the file knows how many it has seen. Throws if a newer version of the project has
 * written the file.
 */
export function openDatabase(
  path: string,
  durability: Durability,
  migrations: readonly string[],
): DatabaseSync {
  whereStorable(() => privateFile(path));
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    untilNotBusy(() => database.exec('PRAGMA journal_mode = WAL'));
    database.exec(`PRAGMA synchronous = ${durability.toUpperCase()}`);
    transact(database, () => migrate(database, path, migrations));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  const seen = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (seen > migrations.length) {
    throw new Error(`${path} is of a newer version of Rivulet. Update this clone: git pull.`);
  }
  for (const step of migrations.slice(seen)) database.exec(step);
  if (seen < migrations.length) database.exec(`PRAGMA user_version = ${migrations.length}`);
}

/** Runs `work` in one write transaction; what it throws undoes it. Throws StorageFault. */
export function transact<Result>(database: DatabaseSync, work: () => Result): Result {
  return storingSync(() => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  });
}

export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;

/** The busy timeout does not cover the switch to WAL when two processes make a file together. */
function untilNotBusy(work: () => void): void {
  const deadlineMs = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadlineMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
