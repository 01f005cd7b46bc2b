/** What every stream index must do. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { RecordStore, Write } from '../../lib/ports/ports.ts';

export type RecordStoreUnderTest = Readonly<{ store: RecordStore; close(): Promise<void> }>;

export function recordStoreContract(name: string, make: () => Promise<RecordStoreUnderTest>): void {
  describe(`${name} as a record store`, () => {
    let made: RecordStoreUnderTest;
    let store: RecordStore;
    before(async () => {
      made = await make();
      store = made.store;
    });
    after(() => made.close());

    const put = (partition: string, sort: string, value: unknown, expect?: number): Write => ({
      type: 'put',
      partition,
      sort,
      value,
      ...(expect !== undefined && { expect }),
    });

    test('keeps any JSON value and counts its versions', async () => {
      const partition = randomUUID();
      const value = { text: 'Grüße 🎬', list: [1, -2.5, 1e15, null, true], deep: { a: {}, b: [] } };
      assert.equal(await store.get(partition, 'item'), undefined);
      assert.equal(await store.write([put(partition, 'item', value)]), true);
      assert.deepEqual(await store.get(partition, 'item'), { sort: 'item', version: 1, value });
      assert.equal(await store.write([put(partition, 'item', 'second')]), true);
      assert.equal(await store.write([put(partition, 'item', { third: true }, 2)]), true);
      assert.deepEqual(await store.get(partition, 'item'), {
        sort: 'item',
        version: 3,
        value: { third: true },
      });
      assert.equal(await store.write([{ type: 'delete', partition, sort: 'item' }]), true);
      assert.equal(await store.get(partition, 'item'), undefined);
      await store.write([put(partition, 'item', 'anew', 0)]);
      assert.equal((await store.get(partition, 'item'))?.version, 1);
    });

    test('refuses writes whose expectation does not hold', async () => {
      const partition = randomUUID();
      assert.equal(await store.write([put(partition, 'item', 1, 1)]), false, 'not there');
      assert.equal(await store.write([put(partition, 'item', 1, 0)]), true);
      assert.equal(await store.write([put(partition, 'item', 2, 0)]), false, 'already there');
      assert.equal(await store.write([put(partition, 'item', 2, 2)]), false, 'another version');
      const remove = (expect: number): Write => ({
        type: 'delete',
        partition,
        sort: 'item',
        expect,
      });
      assert.equal(await store.write([remove(2)]), false);
      assert.equal((await store.get(partition, 'item'))?.value, 1);
      assert.equal(await store.write([remove(1)]), true);
      assert.equal(await store.get(partition, 'item'), undefined);
    });

    test('writes all of up to 100 items, or none', async () => {
      const [one, other] = [randomUUID(), randomUUID()];
      const writes = Array.from({ length: 100 }, (_, item) =>
        put(item % 2 ? one : other, String(item).padStart(3, '0'), item, 0),
      );
      assert.equal(await store.write([...writes.slice(0, 99), put(one, 'x', 0, 7)]), false);
      assert.deepEqual([await store.query(one), await store.query(other)], [[], []]);
      assert.equal(await store.write(writes), true);
      assert.equal((await store.query(one)).length + (await store.query(other)).length, 100);
      const tooMany = Array.from({ length: 101 }, (_, item) => put(one, `more-${item}`, item));
      await assert.rejects(async () => store.write(tooMany));
      await assert.rejects(async () => store.write([put(one, 'same', 1), put(one, 'same', 2)]));
    });

    test('finds ranges of a partition in the order of UTF-8 bytes', async () => {
      const partition = randomUUID();
      // U+FF5E sorts before U+1F3AC as UTF-8, but after it as UTF-16.
      const sorts = ['A', 'a#0000000001', 'a#0000000002', 'a#0000000010', 'b', 'ä', '～', '🎬'];
      await store.write(sorts.toReversed().map((sort) => put(partition, sort, sort)));
      await store.write([put(`${partition}-other`, 'a#0000000003', 'other partition')]);
      const found = async (range?: Parameters<RecordStore['query']>[1]) =>
        (await store.query(partition, range)).map(({ sort }) => sort);
      assert.deepEqual(await found(), sorts);
      assert.deepEqual(await found({ descending: true }), sorts.toReversed());
      assert.deepEqual(await found({ from: 'a#', to: 'a#~' }), sorts.slice(1, 4));
      assert.deepEqual(
        await found({ from: 'a#0000000002', to: 'b' }),
        sorts.slice(2, 5),
        'inclusive',
      );
      assert.deepEqual(await found({ from: 'b' }), sorts.slice(4));
      assert.deepEqual(await found({ to: 'a#0000000001', descending: true }), [
        'a#0000000001',
        'A',
      ]);
      assert.deepEqual(await found({ to: 'a#~', descending: true, limit: 2 }), [
        'a#0000000010',
        'a#0000000002',
      ]);
      assert.deepEqual(await found({ from: 'a', limit: 1 }), ['a#0000000001']);
      assert.deepEqual(await found({ from: 'c', to: 'b' }), []);
    });

    test('answers a query without a limit in full, however much it is', async () => {
      const partition = randomUUID();
      const filling = 'x'.repeat(20_000);
      for (let start = 0; start < 120; start += 20) {
        const items = Array.from({ length: 20 }, (_, item) => start + item);
        await store.write(
          items.map((item) => put(partition, String(item).padStart(4, '0'), { item, filling })),
        );
      }
      const items = await store.query(partition);
      assert.deepEqual(
        items.map(({ sort }) => Number(sort)),
        Array.from({ length: 120 }, (_, item) => item),
      );
    });

    test('lets one of many racing writers win each version, so no increment is lost', async () => {
      const partition = randomUUID();
      let refused = 0;
      const increment = async () => {
        for (;;) {
          const item = await store.get(partition, 'counter');
          const next = Number(item?.value ?? 0) + 1;
          if (await store.write([put(partition, 'counter', next, item?.version ?? 0)])) return;
          refused += 1;
        }
      };
      await Promise.all(Array.from({ length: 12 }, increment));
      const counter = await store.get(partition, 'counter');
      assert.deepEqual([counter?.value, counter?.version], [12, 12]);
      assert.ok(refused > 0, 'they did race');
    });

    test('takes items that expire, and keeps those that do not', async () => {
      const partition = randomUUID();
      const soon: Write = {
        ...put(partition, 'later', 1),
        type: 'put',
        value: 1,
        expiresAtMs: Date.now() + 3_600_000,
      };
      assert.equal(await store.write([soon, put(partition, 'never', 2)]), true);
      assert.deepEqual(
        (await store.query(partition)).map(({ value }) => value),
        [1, 2],
      );
    });
  });
}
