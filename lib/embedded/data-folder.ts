/** The folder that holds everything the engine keeps, and the lock that gives it one engine. */

import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorCode } from './error-code.ts';
import { isBusy } from './sqlite-database.ts';

export type DataFolder = Readonly<{
  path: string;
  objects: string;
  typed: string;
  tmp: string;
  notifications: string;
  indexFile: string;
  queuesFile: string;
  secrets: Readonly<{ ownerKey: string; presignSigningKey: Buffer }>;
}>;

export type LockedDataFolder = DataFolder & Readonly<{ unlock(): void }>;

/** Referenced here, or the garbage collector would close the lock. */
const heldLocks = new Set<DatabaseSync>();

/** Opens the folder, and makes it if it is not there. Any number of processes may do so. */
export function openDataFolder(folder: string): DataFolder {
  const path = resolve(folder);
  const inside = (name: string) => join(path, name);
  const folders = {
    objects: inside('objects'),
    typed: inside('typed'),
    tmp: inside('tmp'),
    notifications: inside('notifications'),
  };
  for (const name of [path, inside('secrets'), ...Object.values(folders)]) {
    mkdirSync(name, { recursive: true, mode: 0o700 });
  }
  return {
    path,
    ...folders,
    indexFile: inside('index.db'),
    queuesFile: inside('queues.db'),
    secrets: {
      ownerKey: keptSecret(inside('secrets/owner-key'), folders.tmp),
      presignSigningKey: Buffer.from(
        keptSecret(inside('secrets/grant-signing-key'), folders.tmp),
        'base64url',
      ),
    },
  };
}

/**
 * For the engine's own process, before it starts workers. The lock goes with the process, however
 * it ends. Throws if another engine has the folder.
 */
export function lockDataFolder(folder: string): LockedDataFolder {
  const path = resolve(folder);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = takeLock(path);
  try {
    const opened = openDataFolder(path);
    for (const name of readdirSync(opened.tmp)) {
      rmSync(join(opened.tmp, name), { recursive: true, force: true });
    }
    return { ...opened, unlock: () => release(lock) };
  } catch (error) {
    release(lock);
    throw error;
  }
}

function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'lock.db'), { timeout: 0 });
  const holderFile = join(path, 'engine.pid');
  try {
    lock.exec('BEGIN EXCLUSIVE');
    heldLocks.add(lock);
    writeFileSync(holderFile, `${process.pid}\n`);
    return lock;
  } catch (error) {
    release(lock);
    if (!isBusy(error)) throw error;
    const holder = readIfThere(holderFile)?.trim() ?? 'unknown';
    throw new Error(
      `Another engine (process ${holder}) uses ${path}. Stop it first, or choose another folder.`,
      { cause: error },
    );
  }
}

function release(lock: DatabaseSync): void {
  heldLocks.delete(lock);
  lock.close();
}

/** Made at first use, once even if several processes come first together. */
function keptSecret(path: string, tmp: string): string {
  const kept = readIfThere(path);
  if (kept) return kept.trim();
  const temporary = join(tmp, randomUUID());
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
  return readFileSync(path, 'utf8').trim();
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
