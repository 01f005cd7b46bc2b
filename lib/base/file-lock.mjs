/**
 * A lock file that names the process that holds it. Plain JavaScript for an old Node: the set-up of a
 * clone takes such a lock before it has installed a Node that runs TypeScript.
 */

import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';

/** The holder touches its lock several times before it could be taken for an abandoned one. */
const TOUCH_MS = 3_000;
const STALE_MS = 15_000;
const ATTEMPTS = 3;

/** @type {Set<() => void>} */
const held = new Set();
process.on('exit', () => {
  for (const release of held) release();
});

/**
 * Takes the lock, also from a process that died with it. Released when this process exits.
 * @param {string} path In a folder that exists.
 * @returns {{ release(): void } | undefined} undefined while another process holds it.
 */
export function tryFileLock(path) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return hold(path);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (!isStale(path)) return undefined;
    takeAway(path);
  }
  return undefined;
}

/** @param {string} path */
function hold(path) {
  const touching = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Another process took it for abandoned, and has it now.
    }
  }, TOUCH_MS);
  touching.unref();
  const release = () => {
    held.delete(release);
    clearInterval(touching);
    rmSync(path, { force: true });
  };
  held.add(release);
  return { release };
}

/**
 * The process id alone is not enough: after a restart of the machine another process may have it. A
 * lock without one was just created, and is not written yet.
 * @param {string} path
 */
function isStale(path) {
  try {
    const { mtimeMs } = statSync(path);
    const owner = Number(readFileSync(path, 'utf8'));
    if (Date.now() - mtimeMs > STALE_MS) return true;
    return owner > 0 && (owner === process.pid || !isAlive(owner));
  } catch {
    // Released in the meantime.
    return true;
  }
}

/**
 * Two processes may find the same lock stale; only one of them can rename it.
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
