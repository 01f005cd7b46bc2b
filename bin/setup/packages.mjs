/** npm packages, exactly as the lockfile names them. */

import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { runQuietly, SetupError, say } from './child.mjs';
import { startsOn } from './node.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string | string[],
 *   cpu?: string | string[], libc?: string | string[] }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lockfile
 */

/** @param {string} root */
export function packagesAreInstalled(root) {
  const wanted = wantedMark(root);
  if (readStamp(root).packages === wanted) return true;
  // npm keeps a lockfile of what it installed: `npm ci` may have been run by hand.
  const installed = readLockfile(join(root, 'node_modules', '.package-lock.json'));
  const locked = readLockfile(join(root, 'package-lock.json'));
  if (!installed || !locked || !isInstalledAsLocked(locked, installed)) return false;
  writeStamp(root, { packages: wanted });
  return true;
}

/**
 * @param {Lockfile} locked
 * @param {Lockfile} installed
 * @param {{ platform: string, arch: string }} machine
 */
export function isInstalledAsLocked(locked, installed, machine = process) {
  return Object.entries(locked.packages).every(([path, entry]) => {
    if (path === '') return true;
    const present = installed.packages[path];
    if (present) return present.version === entry.version && present.integrity === entry.integrity;
    return entry.optional === true && !suits(entry, machine);
  });
}

/**
 * Whether npm would install an optional package here. Those that name a C library are left to npm.
 * @param {LockedPackage} entry
 * @param {{ platform: string, arch: string }} machine
 */
const suits = (entry, { platform, arch }) =>
  entry.libc === undefined &&
  (entry.os === undefined || [entry.os].flat().includes(platform)) &&
  (entry.cpu === undefined || [entry.cpu].flat().includes(arch));

/**
 * @param {string} root
 * @param {import('./machine.mjs').Machine} machine
 */
export async function installPackages(root, machine) {
  const startMs = Date.now();
  say('Installing packages (npm ci) …');
  // No package needs its install script, and npm 12 does not run them unasked. Development packages
  // are part of every task, whatever NODE_ENV says.
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  // Without a network npm would retry for more than a minute before it fails.
  const retries = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  const [program, ...args] = npmCommand(machine);
  const { code, output } = await runQuietly(
    program,
    [...args, 'ci', ...options, ...retries, '--include=dev', '--include=optional'],
    { cwd: root },
  );
  if (code !== 0)
    throw new SetupError(`npm ci failed.\n${withoutUsage(output)}\n${npmHint(output)}`);
  const platformNode = join(root, 'node_modules', '.bin', 'node');
  // On musl it does not start, and npm scripts would find it before the system's own.
  if (process.platform !== 'win32' && !startsOn(platformNode))
    rmSync(platformNode, { force: true });
  writeStamp(root, { packages: wantedMark(root) });
  say(`Packages installed in ${((Date.now() - startMs) / 1000).toFixed(1)} s.`);
}

/** npm appends the usage of the command to some errors. @param {string} output */
const withoutUsage = (output) =>
  (output.split(/^npm error\s*\nnpm error Clean install/m)[0] ?? '').trim();

/** @param {string} output What npm printed when it failed. */
export function npmHint(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(output)) {
    return 'The package registry cannot be reached: connect this machine, or set npm\'s "registry" or "proxy", and try again.';
  }
  if (/EUSAGE/.test(output)) {
    return 'package.json and package-lock.json differ: run "npm install" and try again.';
  }
  if (/EACCES|EPERM/.test(output)) {
    return 'node_modules or the npm cache belongs to someone else: change its owner or remove it, and try again.';
  }
  if (/ENOSPC/.test(output)) return 'The disk is full: about 400 MB are needed.';
  return 'Remove node_modules and try again.';
}

/**
 * npm's own script on the Node that npm itself was started with: ours may be about to be replaced.
 * @param {import('./machine.mjs').Machine} machine
 * @returns {[string, ...string[]]}
 */
function npmCommand(machine) {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (script && /npm-cli\.c?js$/.test(script)) return [node ?? process.execPath, script];
  const npm = machine.find('npm');
  if (npm) return [npm];
  throw new SetupError('npm is not on PATH: install Node.js with npm and try again.');
}

/** @param {string} root */
function wantedMark(root) {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lockfile).digest('hex');
  return [digest, process.platform, process.arch].join(' ');
}

/**
 * @param {string} path
 * @returns {Lockfile | undefined}
 */
function readLockfile(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
