import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  countingPorts,
  countingQueue,
  countingStore,
  itemBytes,
  readUnits,
  writeUnits,
} from '../../bin/estimate/counting-ports.ts';
import { Meter, NO_USAGE, perRun } from '../../bin/estimate/meter.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { recordStoreContract } from '../contracts/record-store.ts';
import { temporaryFolder } from '../embedded/temporary-folder.ts';

recordStoreContract('a counting record store', async () => {
  const folder = await temporaryFolder();
  const ports = embeddedPorts(openDataFolder(folder.path));
  return {
    store: countingStore(ports.store, new Meter()),
    close: async () => {
      ports.close();
      await folder.remove();
    },
  };
});

async function counted(t: { after(end: () => unknown): void }) {
  const folder = await temporaryFolder();
  const ports = embeddedPorts(openDataFolder(folder.path));
  t.after(async () => {
    ports.close();
    await folder.remove();
  });
  const meter = new Meter();
  return { ports, meter, counting: countingPorts(ports, meter) };
}

describe('counting ports', () => {
  test('media store requests are counted, refused ones as well', async (t) => {
    const { counting, meter, ports } = await counted(t);
    const { media } = counting;
    assert.equal(await media.put('media/a', new Uint8Array(1000), 'video/mp4'), 'stored');
    assert.equal(await media.put('media/a', new Uint8Array(500), 'video/mp4'), 'exists');
    assert.equal((await media.get('media/a'))?.byteLength, 1000);
    assert.equal(await media.get('media/none'), undefined);
    assert.equal((await media.head('media/a'))?.sizeBytes, 1000);
    assert.deepEqual(await media.list('media/'), ['media/a']);
    await media.delete(['media/a']);
    assert.equal(await ports.media.head('media/a'), undefined);
    assert.deepEqual(meter.usage, {
      ...NO_USAGE,
      mediaPuts: 2,
      mediaGets: 3,
      mediaLists: 1,
      calls: 7,
    });
  });

  test('record store requests are counted in request units by the size of the items', async (t) => {
    const { counting, meter } = await counted(t);
    const { store } = counting;
    const put = (sort: string, value: unknown, expect?: number) =>
      ({
        type: 'put',
        partition: 'p',
        sort,
        value,
        ...(expect !== undefined && { expect }),
      }) as const;
    // One item below 1 KB: one unit.
    assert.equal(await store.write([put('a', 'small', 0)]), true);
    assert.equal(meter.usage.writeUnits, 1);
    // A condition that fails is paid for.
    assert.equal(await store.write([put('a', 'small', 0)]), false);
    assert.equal(meter.usage.writeUnits, 2);
    // Two items at once, of 1 and of 3 KB units, are a transaction: twice (1 + 3).
    assert.equal(await store.write([put('b', 1), put('c', 'x'.repeat(2500), 0)]), true);
    assert.equal(meter.usage.writeUnits, 10);
    assert.equal(
      meter.usage.newItemBytes,
      itemBytes('p', 'a', 'small') + itemBytes('p', 'c', 'x'.repeat(2500)),
    );
    assert.equal(await store.write([]), true);
    assert.equal(meter.usage.calls, 3);

    meter.reset();
    await store.get('p', 'none');
    await store.get('p', 'c');
    assert.equal(meter.usage.readUnits, 2);
    await store.write([put('d', 'x'.repeat(6000))]);
    meter.reset();
    await store.get('p', 'd');
    assert.equal(meter.usage.readUnits, 2, 'more than 4 KB');
    assert.equal((await store.query('p')).length, 4);
    assert.deepEqual([meter.usage.readUnits, meter.usage.calls], [5, 2], '9 KB together');
  });

  test('item sizes and units are those of DynamoDB', () => {
    // pk sk version 1–3 value write UUID: 2 + 2 + 7 + 3 + 5 + 5 + 36 = 60, and 1 + 2 + 4.
    assert.equal(itemBytes('p', 'so', 'ab'), 67);
    assert.deepEqual([0, 4096, 4097].map(readUnits), [1, 1, 2]);
    const remove = { type: 'delete', partition: 'p', sort: 'a' } as const;
    assert.equal(writeUnits([remove]), 1);
    assert.equal(writeUnits([{ ...remove, expect: 1 }]), 2, 'a transaction');
  });

  test('queue requests are counted by batch, messages of groups one by one, and empty polls not at all', async (t) => {
    const { counting, meter, ports } = await counted(t);
    const { delayed, publish } = counting.queues;
    const poll = { max: 10, waitMs: 0, leaseMs: 1000 };
    await delayed.send(Array.from({ length: 12 }, (_, body) => ({ body: String(body) })));
    assert.equal(meter.usage.standardRequests, 2);
    await delayed.send([{ body: 'x'.repeat(130 * 1024) }]);
    assert.equal(meter.usage.standardRequests, 5, '64 KB each');
    const taken = [...(await delayed.receive(poll)), ...(await delayed.receive(poll))];
    assert.equal(taken.length, 13);
    assert.equal(meter.usage.standardRequests, 9);
    assert.deepEqual(await delayed.receive(poll), []);
    assert.equal(meter.usage.standardRequests, 9, 'an empty poll is not of the work');
    await delayed.acknowledge(taken.map(({ receipt }) => receipt));
    await delayed.depth();
    assert.equal(meter.usage.standardRequests, 12);
    await publish.send(['a', 'b', 'c'].map((body) => ({ body, group: 'g' })));
    const [first] = await publish.receive(poll);
    assert.ok(first);
    assert.equal(await publish.extend(first.receipt, 1000), true);
    await publish.release(first.receipt, 0);
    assert.deepEqual([meter.usage.fifoRequests, meter.usage.standardRequests], [6, 12]);
    assert.equal(meter.usage.calls, 18);
    const own = new Meter();
    await countingQueue(ports.queues.delayed, own, false).send([{ body: randomUUID() }]);
    assert.deepEqual([own.usage.standardRequests, meter.usage.calls], [1, 18]);
  });

  test('usage is averaged over runs', () => {
    const usage = { ...NO_USAGE, writeUnits: 12, calls: 6 };
    assert.deepEqual(perRun({ usage, runs: 3, cpuMs: 30 }), {
      usage: { ...NO_USAGE, writeUnits: 4, calls: 2 },
      runs: 1,
      cpuMs: 10,
    });
    assert.equal(perRun({ usage, runs: 0, cpuMs: 5 }).usage, NO_USAGE);
  });
});
