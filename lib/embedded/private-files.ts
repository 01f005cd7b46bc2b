/** Files and folders that only the user of this process may read, whatever its umask. */

import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { errorCode } from './error-code.ts';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;
const OTHERS = 0o077;

/** Makes the file empty if it is not there, and closes it to others if it is. */
export function privateFile(path: string): void {
  closeSync(openSync(path, 'a', PRIVATE_FILE));
  closeToOthers(path, PRIVATE_FILE);
}

/** Makes the folder with those above it. One that others may read is closed if it is ours (below). */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  closeToOthers(path, PRIVATE_FOLDER);
}

/**
 * Makes the folder of all data, or closes it to others: one that is empty or holds `sign`. Any other
 * folder (a home, /tmp) keeps its mode. Returns what has to be said of it; undefined: it is closed.
 */
export function privateRoot(path: string, sign: string): string | undefined {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  if ((statSync(path).mode & OTHERS) === 0 || process.platform === 'win32') return undefined;
  const names = readdirSync(path);
  const warning = `Other users of this machine may look into ${path}: chmod 700 ${path}`;
  if (names.length > 0 && !names.includes(sign)) return warning;
  return closeToOthers(path, PRIVATE_FOLDER) ? undefined : warning;
}

/** false if the file belongs to somebody else, or its disk is read-only. */
function closeToOthers(path: string, mode: number): boolean {
  if ((statSync(path).mode & OTHERS) === 0) return true;
  try {
    chmodSync(path, mode);
    return true;
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EROFS'].includes(errorCode(error))) throw error;
    return false;
  }
}
