/** One set-up at a time per clone, however many tasks are started at once. */

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { say } from './child.mjs';

const POLL_MS = 200;

/** A set-up takes seconds to a few minutes; a lock this old belongs to a process id used anew. */
const STALE_AFTER_MS = 20 * 60_000;

/**
 * Outside `node_modules`, which `npm ci` empties.
 * @param {string} root
 */
export const lockPath = (root, folder = tmpdir()) =>
  join(
    folder,
    `rivulet-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`,
  );

/**
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(path, action) {
  let announced = false;
  while (!tryLock(path)) {
    if (!announced) say('Waiting for another set-up of this clone …');
    announced = true;
    await delay(POLL_MS);
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await action();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    if (isStale(path)) takeAway(path);
    return false;
  }
}

/** @param {string} path */
function isStale(path) {
  try {
    const { mtimeMs } = statSync(path);
    const owner = Number(readFileSync(path, 'utf8'));
    // Created but not yet written: its owner is at work.
    if (owner === 0) return Date.now() - mtimeMs > 10_000;
    return !isAlive(owner) || Date.now() - mtimeMs > STALE_AFTER_MS;
  } catch {
    return false;
  }
}

/**
 * Two waiters may find the same lock stale; only one of them can rename it.
 * @param {string} path
 */
function takeAway(path) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (isStale(aside)) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch {
    // The other one was faster.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
