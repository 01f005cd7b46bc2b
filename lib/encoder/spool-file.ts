/** Files that are complete or absent, whatever happens to the process or the machine. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../base/sync-directory.ts';

/** Names of unfinished files begin so. */
const PARTIAL_PREFIX = '.partial-';

/** Stores the bytes under `path`, in a folder that exists. */
export async function storeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = join(dirname(path), PARTIAL_PREFIX + basename(path));
  try {
    await writeFile(partial, bytes, { flush: true });
    await moveDurably(partial, path);
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
