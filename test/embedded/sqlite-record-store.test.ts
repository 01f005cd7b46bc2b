import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { SqliteRecordStore } from '../../lib/embedded/sqlite-record-store.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('the SQLite record store sweeps expired items now and then, and only those', async () => {
  const folder = await temporaryFolder();
  let now = 1_000_000;
  const store = new SqliteRecordStore(join(folder.path, 'index.db'), { now: () => now });
  try {
    const put = (sort: string, expiresAtMs?: number) =>
      store.write([
        {
          type: 'put',
          partition: 'p',
          sort,
          value: 0,
          ...(expiresAtMs !== undefined && { expiresAtMs }),
        },
      ]);
    for (let item = 0; item < 1_200; item += 1) await put(`old-${item}`, now + 1_000);
    await put('kept', now + 1_000);
    await put('kept');
    await put('later', now + 10_000_000);
    now += 60_000;
    for (const sort of ['x', 'y', 'z']) await put(sort);
    const left = (await store.query('p')).map(({ sort }) => sort);
    assert.deepEqual(left, ['kept', 'later', 'x', 'y', 'z']);
  } finally {
    store.close();
    await folder.remove();
  }
});

test('the SQLite record store undoes a write that fails half-way', async () => {
  const folder = await temporaryFolder();
  const store = new SqliteRecordStore(join(folder.path, 'index.db'), { now: () => 0 });
  try {
    const put = (sort: string, value: unknown) =>
      ({ type: 'put', partition: 'p', sort, value }) as const;
    await assert.rejects(store.write([put('fine', 1), put('none', undefined)]), TypeError);
    assert.deepEqual(await store.query('p'), []);
    assert.equal(await store.write([put('fine', 2)]), true, 'and goes on after it');
  } finally {
    store.close();
    await folder.remove();
  }
});

test('the SQLite record store loses no increment of processes that race', async () => {
  const folder = await temporaryFolder();
  const counting = fileURLToPath(new URL('./counting-process.ts', import.meta.url));
  const ports = embeddedPorts(openDataFolder(folder.path));
  try {
    const racers = [1, 2, 3].map(() => fork(counting, [folder.path, '400']));
    const codes = await Promise.all(racers.map(async (racer) => (await once(racer, 'exit'))[0]));
    assert.deepEqual(codes, [0, 0, 0]);
    const counter = await ports.store.get('shared', 'counter');
    assert.deepEqual([counter?.value, counter?.version], [1200, 1200]);
  } finally {
    ports.close();
    await folder.remove();
  }
});
