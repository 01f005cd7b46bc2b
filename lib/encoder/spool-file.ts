/** Files that are whole or not there, whatever happens to the process or the machine. */

import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Names of unfinished files begin so. */
const PARTIAL_PREFIX = '.partial-';

/** Stores the bytes under `path`, in a folder that is there. */
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

export async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** A rename survives a power failure only when its folder was synced. */
async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; NTFS keeps a journal of renames.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
