/** Which Node runs the tasks: the pinned one from the platform packages, else a new enough other. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { SetupError } from './child.mjs';

/**
 * Runs TypeScript without a flag.
 * @param {string | undefined} version As `node --version` prints it.
 */
export function isNewEnough(version) {
  const [, major = 0, minor = 0] = version?.match(/^v?(\d+)\.(\d+)\./)?.map(Number) ?? [];
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/**
 * The version of a Node binary; undefined if it is missing or cannot start here (glibc on musl).
 * @param {string} path
 */
export function startsOn(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * @param {string} root
 * @param {{ platform: string, arch: string, execPath: string, version: string }} running
 * @returns {string} Path of the binary.
 */
export function chooseNode(root, running = process, versionOf = startsOn) {
  // On Windows `.bin/node` is a script, which cannot be started without a shell.
  const pinned =
    running.platform === 'win32'
      ? join(root, 'node_modules', `node-win-${running.arch}`, 'bin', 'node.exe')
      : join(root, 'node_modules', '.bin', 'node');
  if (isNewEnough(versionOf(pinned))) return pinned;
  if (isNewEnough(running.version)) return running.execPath;
  throw new SetupError(
    `Rivulet runs on Node.js 22.18 or newer. This is ${running.version}, and there is no package with a ` +
      `newer one for ${running.platform} ${running.arch} (or it does not start here, as on musl). ` +
      'Install Node.js 24 from https://nodejs.org or with your package manager and try again.',
  );
}
