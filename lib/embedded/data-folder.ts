/** The folder that holds everything the engine keeps, and the lock that gives it one engine. */

import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { reportError } from '../base/log.ts';
import { keepReserve } from './disk-room.ts';
import { errorCode } from './error-code.ts';
import { PRIVATE_FILE, privateFile, privateFolder, privateRoot } from './private-files.ts';
import { isBusy } from './sqlite-database.ts';
import { storingSync, whereStorable } from './storage-fault.ts';

export type DataFolder = Readonly<{
  path: string;
  objects: string;
  typed: string;
  tmp: string;
  /** Of uploads in parts that are not complete. */
  multipart: string;
  notifications: string;
  indexFile: string;
  queuesFile: string;
  secrets: Readonly<{ ownerKey: string; presignSigningKey: Buffer }>;
}>;

export type LockedDataFolder = DataFolder & Readonly<{ unlock(): void }>;

const LOCK_FILE = 'lock.db';

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
    multipart: inside('multipart'),
    notifications: inside('notifications'),
  };
  openRoot(path);
  for (const name of [inside('secrets'), ...Object.values(folders)]) privateFolder(name);
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
  const warning = openRoot(path);
  const lock = takeLock(path);
  try {
    if (warning) reportError(warning, 'opening the data folder');
    keepReserve(path);
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

const openRoot = (path: string): string | undefined => privateRoot(path, LOCK_FILE);

function takeLock(path: string): DatabaseSync {
  const lockFile = join(path, LOCK_FILE);
  whereStorable(() => privateFile(lockFile));
  const lock = new DatabaseSync(lockFile, { timeout: 0 });
  const holderFile = join(path, 'engine.pid');
  try {
    // Nothing is ever written, so that a full disk is no obstacle.
    lock.exec('PRAGMA journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    heldLocks.add(lock);
    whereStorable(() => writeFileSync(holderFile, `${process.pid}\n`, { mode: PRIVATE_FILE }));
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
  return storingSync(() => makeSecret(path, tmp));
}

function makeSecret(path: string, tmp: string): string {
  const temporary = join(tmp, randomUUID());
  const file = openSync(temporary, 'wx', PRIVATE_FILE);
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
