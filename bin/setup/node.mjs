/**
 * Which Node runs the tasks: the pinned one from the platform packages, else the running one if it is
 * new enough. An older one suffices to begin with: package.json's engines.
 */

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
  const { platform, arch } = running;
  // On Windows `.bin/node` is a script, which cannot be started without a shell.
  const pinned =
    platform === 'win32'
      ? [[`node-win-${arch}`, 'bin', 'node.exe']]
      : // npm 9 does not link it: packages for other platforms have a program of the same name.
        [
          ['.bin', 'node'],
          [`node-${platform}-${arch}`, 'bin', 'node'],
          [`node-bin-${platform}-${arch}`, 'bin', 'node'],
        ];
  for (const parts of pinned) {
    const path = join(root, 'node_modules', ...parts);
    if (isNewEnough(versionOf(path))) return path;
  }
  if (isNewEnough(running.version)) return running.execPath;
  throw new SetupError(
    `No package has a Node.js for ${platform} ${arch} (or it does not start here, as on musl), and this ` +
      `${running.version} is older than 22.18, which the tasks need. ` +
      'Install Node.js 24 from https://nodejs.org or with your package manager and try again.',
  );
}
