import { open } from 'node:fs/promises';

/**
 * Resolves when the names in a directory are on disk: a rename survives a power failure only then.
 * Its inode number; 0 on Windows, which cannot open directories and whose file system journals names.
 */
export async function syncDirectory(directory: string): Promise<number> {
  if (process.platform === 'win32') return 0;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
    return (await handle.stat()).ino;
  } finally {
    await handle.close();
  }
}
