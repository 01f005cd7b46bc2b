/** What the set-up depends on of this machine, gathered in one object so that tests can fake it. */

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {'debian' | 'ubuntu' | 'fedora' | 'arch' | 'alpine' | 'suse' | 'macos' | 'windows' | 'other'} System
 * @typedef {object} Machine
 * @property {System} system
 * @property {boolean} isRoot
 * @property {(name: string) => string | undefined} find Absolute path of a program on PATH.
 */

/** @returns {Machine} */
export function thisMachine(env = process.env) {
  return {
    system: systemOf(process.platform, readOsRelease()),
    isRoot: process.getuid?.() === 0,
    find: (name) => findOnPath(name, env),
  };
}

/**
 * @param {string} platform `process.platform`
 * @param {string} osRelease Text of /etc/os-release; empty where there is none.
 * @returns {System}
 */
export function systemOf(platform, osRelease) {
  if (platform === 'darwin') return 'macos';
  if (platform === 'win32') return 'windows';
  const field = (/** @type {string} */ name) =>
    osRelease.match(new RegExp(`^${name}="?([^"\n]*)"?$`, 'm'))?.[1]?.split(' ') ?? [];
  const names = [...field('ID'), ...field('ID_LIKE')];
  if (names.includes('ubuntu')) return 'ubuntu';
  if (names.includes('debian')) return 'debian';
  if (names.includes('fedora') || names.includes('rhel')) return 'fedora';
  if (names.includes('arch')) return 'arch';
  if (names.includes('alpine')) return 'alpine';
  if (names.some((name) => name.includes('suse'))) return 'suse';
  return 'other';
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
function findOnPath(name, env) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const folder of (env.PATH ?? env.Path ?? '').split(delimiter)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (folder !== '' && isProgram(path)) return path;
    }
  }
  return undefined;
}

/** @param {string} path */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
