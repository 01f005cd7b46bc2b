/**
 * The spool: where segments wait for their receipts on each kind of machine, its lock, and its files,
 * which are complete or absent, whatever happens to the process or the machine.
 */

import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ApiError } from '../api/client.ts';
import { tryFileLock } from '../base/file-lock.mjs';
import { syncDirectory } from '../base/sync-directory.ts';

/** The user's folder for state and not for caches: what waits here exists nowhere else. */
export function defaultSpoolFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const home = env.HOME || homedir();
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'rivulet', 'encoder');
  }
  if (platform === 'darwin') {
    return join(home, 'Library', 'Application Support', 'rivulet', 'encoder');
  }
  return join(env.XDG_STATE_HOME || join(home, '.local', 'state'), 'rivulet', 'encoder');
}

/** By server, as two servers may have streams of the same id. `track`: of a language that is sent alone. */
export const streamSpoolFolder = (
  spoolFolder: string,
  to: string,
  videoId: string,
  track?: string,
): string => {
  // No id has a dot.
  const name = track === undefined ? videoId : `${videoId}.${track}`;
  return join(spoolFolder, new URL(to).host.replace(/[^A-Za-z0-9.-]/g, '_'), name);
};

export type SpoolLock = NonNullable<ReturnType<typeof tryFileLock>>;

/** One process at a time works on a stream's spool. undefined while another one does. */
export async function lockSpool(streamFolder: string): Promise<SpoolLock | undefined> {
  await mkdir(streamFolder, { recursive: true });
  return tryFileLock(join(streamFolder, 'lock'));
}

/** Names of unfinished files begin so. */
const PARTIAL_PREFIX = '.partial-';

/** Stores the bytes under `path`, in a folder that exists. Returns the path. */
export async function storeWhole(path: string, bytes: Uint8Array): Promise<string> {
  const partial = join(dirname(path), PARTIAL_PREFIX + basename(path));
  try {
    await writeFile(partial, bytes, { flush: true });
    await moveDurably(partial, path);
    return path;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Also creates the target's folder. Survives a power failure when it has resolved. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Of what was refused: each with its record. */
const MAX_KEPT_FILES = 200;

async function removeOldest(folder: string, maxFiles: number): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= maxFiles) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, ...(await stat(join(folder, name))) })),
  );
  files.sort((a, b) => a.mtimeMs - b.mtimeMs);
  for (const { name } of files.slice(0, -maxFiles)) await rm(join(folder, name), { force: true });
}

/**
 * Moves what the server refused to `keptAt`, and stores the reason as `recordPath`. Returns the
 * predicate of a warning about it.
 */
export async function keepRefused(
  path: string,
  keptAt: string,
  recordPath: string,
  item: object,
  { status, code, message, hint }: ApiError,
): Promise<string> {
  await moveDurably(path, keptAt);
  await writeFile(recordPath, JSON.stringify({ ...item, status, code, message, hint }, null, 2));
  await removeOldest(dirname(keptAt), MAX_KEPT_FILES);
  return `was refused (${status} ${code}): ${message} ${hint} It is kept as ${keptAt}.`;
}
