/** Files that are complete or absent, whatever happens to the process or the machine. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ApiError } from '../api/client.ts';
import { syncDirectory } from '../base/sync-directory.ts';

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
  return `was refused (${status} ${code}): ${message} ${hint} It is kept as ${keptAt}.`;
}
