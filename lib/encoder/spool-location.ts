/** Where segments wait for their receipts, on each kind of machine. */

import { homedir } from 'node:os';
import { join } from 'node:path';

/** State and not cache: what waits here exists nowhere else. */
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

/** Two servers may have streams of one id. */
export const streamSpoolFolder = (spoolFolder: string, to: string, videoId: string): string =>
  join(spoolFolder, new URL(to).host.replace(/[^A-Za-z0-9.-]/g, '_'), videoId);
