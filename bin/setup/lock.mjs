/** One set-up at a time per clone, however many tasks are started at once. */

import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { tryFileLock } from '../../lib/base/file-lock.mjs';
import { say } from './child.mjs';

const POLL_MS = 200;

/**
 * Outside `node_modules`, which `npm ci` empties.
 * @param {string} root
 */
export function lockPath(root, folder = tmpdir()) {
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return join(folder, `rivulet-setup-${mark}.lock`);
}

/**
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(path, action) {
  let lock = tryFileLock(path);
  if (!lock) say('Waiting for another set-up of this clone …');
  while (!lock) {
    await delay(POLL_MS);
    lock = tryFileLock(path);
  }
  try {
    return await action();
  } finally {
    lock.release();
  }
}
