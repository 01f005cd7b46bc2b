/** One process at a time works on a stream's spool. */

import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The holder touches the lock more often than a lock needs to be called stale. */
const TOUCH_MS = 3000;
const STALE_MS = 15_000;

export type SpoolLock = Readonly<{ release(): Promise<void> }>;

/** undefined while another process holds the folder. */
export async function lockSpool(folder: string): Promise<SpoolLock | undefined> {
  const path = join(folder, 'lock');
  await mkdir(folder, { recursive: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (!(await isStale(path))) return undefined;
      await rm(path, { force: true });
      continue;
    }
    const touch = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined);
    }, TOUCH_MS);
    touch.unref();
    return {
      async release() {
        clearInterval(touch);
        await rm(path, { force: true });
      },
    };
  }
  return undefined;
}

/** The pid alone does not tell: after a restart of the machine another process may have it. */
async function isStale(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const pid = Number(text);
    return Date.now() - mtimeMs > STALE_MS || (pid > 0 && !isAlive(pid)) || pid === process.pid;
  } catch {
    return true;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
