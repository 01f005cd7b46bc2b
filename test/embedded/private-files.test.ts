import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { lockDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { privateRoot } from '../../lib/embedded/private-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

const skip = process.platform === 'win32' ? 'Windows has no such modes' : false;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  return join(folder.path, 'data');
}

/** Files and folders that others may read. */
async function openToOthers(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  const open: string[] = [];
  for (const path of [root, ...names.map((name) => join(root, name))]) {
    const { mode } = await lstat(path);
    // The mode of a symbolic link says nothing.
    if ((mode & 0o077) !== 0 && !(await lstat(path)).isSymbolicLink()) open.push(path);
  }
  return open;
}

describe('the data folder', { skip }, () => {
  test('and all that is in it is closed to others, whatever the umask', async (t) => {
    const path = await folderOf(t);
    const umask = process.umask(0);
    try {
      const folder = lockDataFolder(path);
      const ports = embeddedPorts(folder);
      await ports.media.put('media/a/1.m4s', Buffer.from('x'), 'video/iso.segment');
      await ports.media.put('media/a/2.m4s', Buffer.from('x'), 'text/odd');
      await ports.store.write([{ type: 'put', partition: 'a', sort: 'b', value: 1 }]);
      await ports.queues.publish.send([{ body: '{}', group: 'a' }]);
      assert.deepEqual(await openToOthers(path), []);
      ports.close();
      folder.unlock();
    } finally {
      process.umask(umask);
    }
  });

  test('of an older version is closed when it is opened', async (t) => {
    const path = await folderOf(t);
    const first = lockDataFolder(path);
    embeddedPorts(first).close();
    first.unlock();
    for (const name of ['', 'index.db', 'queues.db', 'objects'])
      await chmod(join(path, name), 0o755);
    const again = lockDataFolder(path);
    embeddedPorts(again).close();
    again.unlock();
    assert.deepEqual(await openToOthers(path), []);
  });

  test('that exists and is empty is closed; one with the files of others is named and left alone', async (t) => {
    const path = await folderOf(t);
    await mkdir(path);
    await chmod(path, 0o755);
    assert.equal(privateRoot(path, 'lock.db'), undefined);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await chmod(path, 0o755);
    await writeFile(join(path, 'letter.txt'), 'x');
    assert.match(privateRoot(path, 'lock.db') ?? '', /chmod 700/);
    assert.equal((await stat(path)).mode & 0o777, 0o755);
  });
});
