import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { lockDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { transact } from '../../lib/embedded/sqlite-database.ts';
import { StorageFault, storageFault } from '../../lib/embedded/storage-fault.ts';
import { temporaryFolder } from './temporary-folder.ts';

const systemError = (code: string) => Object.assign(new Error(code), { code });
const sqliteError = (errcode: number) =>
  Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode });

describe('what a disk refuses', () => {
  test('is told as 507 with the reason; any other error stays what it is', () => {
    const reasons: readonly (readonly [Error, string])[] = [
      [systemError('ENOSPC'), "The server's disk is full."],
      [systemError('EDQUOT'), "The server's quota of disk space is used up."],
      [systemError('EROFS'), "The server's disk is read-only."],
      [systemError('EIO'), "The server's disk reports errors."],
      [sqliteError(13), "The server's disk is full."],
      [sqliteError(8), "The server's disk is read-only."],
      [sqliteError(10 | (3 << 8)), "The server's disk reports errors."],
    ];
    for (const [error, message] of reasons) {
      const fault = storageFault(error);
      assert.deepEqual([fault?.status, fault?.message, fault?.cause], [507, message, error]);
      assert.equal(fault && storageFault(fault), fault);
    }
    for (const other of [systemError('ENOENT'), sqliteError(5), new Error('x'), 'x', undefined]) {
      assert.equal(storageFault(other), undefined);
    }
  });

  test('undoes the transaction, after which the database takes others', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    const database = new DatabaseSync(join(folder.path, 'small.db'));
    t.after(() => database.close());
    database.exec('PRAGMA max_page_count = 4; CREATE TABLE pages (bytes BLOB)');
    const insert = database.prepare('INSERT INTO pages VALUES (zeroblob(?))');
    const write = (...sizes: number[]) =>
      transact(database, () => sizes.map((size) => insert.run(size)));
    assert.throws(() => write(10, 100_000), StorageFault);
    write(10);
    assert.deepEqual(database.prepare('SELECT count(*) AS n FROM pages').get()?.n, 1);
  });
});

/** A disk of its own with 32 MB; undefined where this user may not mount one. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = await temporaryFolder();
  const path = join(folder.path, 'disk');
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    await folder.remove();
    return undefined;
  }
  t.after(async () => {
    execFileSync('umount', ['-l', path]);
    await folder.remove();
  });
  return path;
}

/** Takes all room that is left on the disk. */
function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (const size of [65_536, 512]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 1));
      } catch {
        // Full for pieces of this size.
      }
    }
  } finally {
    closeSync(file);
  }
}

test('on a full disk nothing is half stored, what is there is read, and all goes on when there is room', async (t) => {
  const disk = await smallDisk(t);
  if (!disk) return t.skip('needs the right to mount a disk');
  const path = join(disk, 'data');
  const ballast = join(disk, 'ballast');
  let folder = lockDataFolder(path);
  let ports = embeddedPorts(folder);
  t.after(() => {
    ports.close();
    folder.unlock();
  });
  const put = (name: string) =>
    ports.media.put(`media/a/${name}.m4s`, Buffer.alloc(100_000, 1), 'video/iso.segment');
  const record = (sort: string) =>
    ports.store.write([{ type: 'put', partition: 'a', sort, value: 'x'.repeat(100_000) }]);
  const send = () => ports.queues.publish.send([{ body: 'x'.repeat(100_000), group: 'a' }]);
  assert.equal(await put('1'), 'stored');
  assert.equal(await ports.storageFault?.(), undefined);
  fill(ballast);
  await assert.rejects(put('2'), StorageFault);
  await assert.rejects(record('1'), StorageFault);
  await assert.rejects(send(), StorageFault);
  assert.deepEqual(await readdir(folder.tmp), []);
  assert.deepEqual(await ports.media.list('media/'), ['media/a/1.m4s']);
  assert.equal((await ports.media.get('media/a/1.m4s'))?.length, 100_000);

  ports.close();
  folder.unlock();
  fill(ballast);
  folder = lockDataFolder(path);
  ports = embeddedPorts(folder);
  ports.releaseAll();
  assert.equal((await ports.media.get('media/a/1.m4s'))?.length, 100_000, 'after another start');
  await assert.rejects(stat(join(path, 'reserve')), { code: 'ENOENT' }, 'which took the reserve');
  fill(ballast);
  assert.equal(await ports.storageFault?.(), "The server's disk is full.");

  await rm(ballast);
  assert.equal(await put('2'), 'stored');
  assert.equal(await record('1'), true);
  await send();
  appendFileSync(ballast, 'x');
});
