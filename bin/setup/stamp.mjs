/** Results of earlier set-ups, kept in `node_modules` and removed with it. */

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Stamp
 * @property {string} [packages] Lockfile and platform that `node_modules` was installed for.
 * @property {Record<string, string>} [programs] Marks of programs that were found good, by name.
 */

/** @param {string} root */
const stampPath = (root) => join(root, 'node_modules', '.rivulet-setup.json');

/**
 * @param {string} root
 * @returns {Stamp}
 */
export function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampPath(root), 'utf8'));
  } catch {
    return {};
  }
}

/**
 * @param {string} root
 * @param {Stamp} changes
 */
export function writeStamp(root, changes) {
  const path = stampPath(root);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, JSON.stringify({ ...readStamp(root), ...changes }));
  renameSync(`${path}.${process.pid}`, path);
}

/**
 * Names one version of a file: changes when the file is replaced.
 * @param {string} path
 */
export function fileMark(path) {
  const { mtimeMs, size } = statSync(path);
  return `${path} ${mtimeMs} ${size}`;
}
