/** Where segments wait for their receipts, on each kind of machine. */

import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tryFileLock } from '../base/file-lock.mjs';

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

/** By server, as two servers may have streams of the same id. */
export const streamSpoolFolder = (spoolFolder: string, to: string, videoId: string): string =>
  join(spoolFolder, new URL(to).host.replace(/[^A-Za-z0-9.-]/g, '_'), videoId);

export type SpoolLock = NonNullable<ReturnType<typeof tryFileLock>>;

/** One process at a time works on a stream's spool. undefined while another one does. */
export async function lockSpool(streamFolder: string): Promise<SpoolLock | undefined> {
  await mkdir(streamFolder, { recursive: true });
  return tryFileLock(join(streamFolder, 'lock'));
}
