/** What every work queue must do. Leases and delays are whole seconds, the finest that SQS knows. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Delivery, WorkQueue } from '../../lib/ports/ports.ts';

export type WorkQueueUnderTest = Readonly<{
  queue: WorkQueue;
  deadLetters: WorkQueue;
  /** The same queue as another process would open it. */
  peer: WorkQueue;
  close(): Promise<void>;
}>;

/** Makes an empty queue. */
export type MakeWorkQueue = (
  options: Readonly<{ grouped: boolean; maxDeliveries: number }>,
) => Promise<WorkQueueUnderTest>;

const LEASE_MS = 20_000;
const bodies = (deliveries: readonly Delivery[]) => deliveries.map(({ body }) => body);
const receipts = (deliveries: readonly Delivery[]) => deliveries.map(({ receipt }) => receipt);
const take = (queue: WorkQueue, max = 10, waitMs = 5_000, leaseMs = LEASE_MS) =>
  queue.receive({ max, waitMs, leaseMs });
const takeNow = (queue: WorkQueue, max = 10) => take(queue, max, 0);

/** A queue may give fewer than it has, so ask until `count` came. */
async function takeAll(queue: WorkQueue, count: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) {
    const more = await take(queue, Math.min(10, count - deliveries.length));
    assert.notEqual(more.length, 0, `${deliveries.length} of ${count} messages came`);
    deliveries.push(...more);
  }
  return deliveries;
}

export function workQueueContract(name: string, make: MakeWorkQueue): void {
  const withQueue = (
    title: string,
    run: (made: WorkQueueUnderTest) => Promise<void>,
    options = { grouped: false, maxDeliveries: 5 },
  ) =>
    test(title, async () => {
      const made = await make(options);
      try {
        await run(made);
      } finally {
        await made.close();
      }
    });
  const grouped = { groups: 'ordered', maxDeliveries: 2 };

  describe(`${name} as a work queue`, { concurrency: 4 }, () => {
    withQueue(
      'delivers each message once, to one receiver, until it is acknowledged',
      async (made) => {
        const { queue, peer } = made;
        const sent = Array.from({ length: 25 }, (_, index) => `message ${index} ü`);
        await queue.send(sent.map((body) => ({ body })));
        const deliveries = (await Promise.all([takeAll(queue, 10), takeAll(peer, 15)])).flat();
        assert.deepEqual(bodies(deliveries).sort(), sent.toSorted());
        assert.ok(deliveries.every(({ deliveries: count }) => count === 1));
        assert.equal(new Set(deliveries.map(({ id }) => id)).size, 25);
        assert.deepEqual(await takeNow(queue), []);
        assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 25, delayed: 0 });
        await peer.acknowledge(receipts(deliveries));
        assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      },
    );

    withQueue(
      'delivers again when a lease ran out, and the old receipt is of no use',
      async (made) => {
        const { queue, peer } = made;
        await queue.send([{ body: 'job' }]);
        const [first] = await take(queue, 1, 5_000, 1_000);
        assert.ok(first);
        const [second] = await take(peer, 1, 10_000);
        assert.ok(second, 'came again');
        assert.deepEqual([second.body, second.id, second.deliveries], ['job', first.id, 2]);
        assert.notEqual(second.receipt, first.receipt);
        assert.equal(await queue.extend(first.receipt, LEASE_MS), false);
        await queue.acknowledge([first.receipt, 'nonsense']);
        assert.equal((await queue.depth()).inFlight, 1, 'still with the second receiver');
        assert.equal(await queue.extend(second.receipt, LEASE_MS), true);
        await queue.acknowledge([second.receipt]);
        assert.equal(await queue.extend(second.receipt, LEASE_MS), false);
        assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      },
    );

    withQueue(
      'keeps a message with its receiver as long as the lease is extended',
      async (made) => {
        const { queue, peer } = made;
        await queue.send([{ body: 'long job' }]);
        const [job] = await take(queue, 1, 5_000, 2_000);
        assert.ok(job);
        const endsAtMs = Date.now() + 4_000;
        while (Date.now() < endsAtMs) {
          assert.equal(await queue.extend(job.receipt, 2_000), true);
          assert.deepEqual(await take(peer, 1, 500), []);
        }
        await queue.acknowledge([job.receipt]);
      },
    );

    withQueue('takes a message back at once or after a delay', async ({ queue, peer }) => {
      await queue.send([{ body: 'job' }]);
      const [first] = await take(queue, 1);
      assert.ok(first);
      await queue.release(first.receipt, 0);
      const [second] = await take(peer, 1);
      assert.ok(second);
      assert.equal(second.deliveries, 2);
      const releasedAtMs = Date.now();
      await peer.release(second.receipt, 2_000);
      assert.deepEqual(await takeNow(queue), []);
      const [third] = await take(queue, 1, 10_000);
      assert.equal(third?.deliveries, 3);
      const tookMs = Date.now() - releasedAtMs;
      assert.ok(tookMs >= 1_900 && tookMs < 6_000, `after ${tookMs} ms`);
    });

    withQueue('holds delayed messages back', async ({ queue }) => {
      const sentAtMs = Date.now();
      await queue.send([{ body: 'later', delayMs: 2_000 }, { body: 'now' }]);
      assert.deepEqual(bodies(await take(queue)), ['now']);
      assert.equal((await queue.depth()).delayed, 1);
      const later = await take(queue, 10, 10_000);
      const tookMs = Date.now() - sentAtMs;
      assert.deepEqual(bodies(later), ['later']);
      assert.ok(tookMs >= 1_900 && tookMs < 6_000, `after ${tookMs} ms`);
    });

    withQueue('waits for a message, which wakes it; for no longer than asked', async (made) => {
      const { queue, peer } = made;
      const startedAtMs = performance.now();
      assert.deepEqual(await take(queue, 1, 1_000), []);
      assert.ok(performance.now() - startedAtMs >= 900);
      const waiting = take(queue, 1, 20_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const sentAtMs = performance.now();
      await peer.send([{ body: 'wake up' }]);
      assert.deepEqual(bodies(await waiting), ['wake up']);
      const tookMs = performance.now() - sentAtMs;
      assert.ok(tookMs < 2_000, `woke after ${tookMs} ms`);
    });

    withQueue('stops waiting when it is told so, and loses no message by it', async ({ queue }) => {
      const stop = new AbortController();
      const waiting = queue.receive({
        max: 1,
        waitMs: 20_000,
        leaseMs: 1_000,
        signal: stop.signal,
      });
      setTimeout(() => stop.abort(), 100);
      const startedAtMs = performance.now();
      assert.deepEqual(await waiting, []);
      assert.ok(performance.now() - startedAtMs < 3_000);
      const { signal } = stop;
      assert.deepEqual(await queue.receive({ max: 1, waitMs: 20_000, leaseMs: 1_000, signal }), []);
      await queue.send([{ body: 'after' }]);
      assert.deepEqual(bodies(await take(queue, 1, 10_000)), ['after']);
    });

    withQueue(
      'moves a message to the dead letters after its last delivery',
      async ({ queue, deadLetters }) => {
        await queue.send([{ body: 'poison' }, { body: 'fine', delayMs: 1_000 }]);
        for (const count of [1, 2]) {
          const [poison] = await take(queue, 1);
          assert.deepEqual([poison?.body, poison?.deliveries], ['poison', count]);
          await queue.release(poison?.receipt ?? '', 0);
        }
        assert.deepEqual(bodies(await take(queue, 10, 10_000)), ['fine']);
        const [dead] = await take(deadLetters, 1, 10_000);
        assert.equal(dead?.body, 'poison');
        await deadLetters.acknowledge([dead.receipt]);
        assert.deepEqual(await deadLetters.depth(), { ready: 0, inFlight: 0, delayed: 0 });
        assert.equal((await queue.depth()).ready, 0);
      },
      { grouped: false, maxDeliveries: 2 },
    );

    withQueue(
      'delivers a group in order, one batch at a time, and groups beside each other',
      async ({ queue, peer }) => {
        const send = (group: string, numbers: readonly number[]) =>
          queue.send(numbers.map((number) => ({ body: `${group}${number}`, group })));
        await send('a', [1, 2, 3]);
        const first = await take(queue, 2);
        assert.deepEqual(bodies(first), ['a1', 'a2']);
        assert.ok(first.every(({ group }) => group === 'a'));
        await send('b', [1]);
        await send('a', [4]);
        const beside = await take(peer);
        assert.deepEqual(bodies(beside), ['b1'], 'group a waits for its batch');
        await queue.acknowledge(receipts(first.slice(0, 1)));
        assert.deepEqual(await takeNow(peer), [], 'until all of it is settled');
        const waiting = take(peer, 10, 10_000);
        await queue.acknowledge(receipts(first.slice(1)));
        const rest = await waiting;
        assert.deepEqual(bodies(rest), ['a3', 'a4'], 'the settled batch wakes those who wait');
        await queue.acknowledge(receipts([...rest, ...beside]));
        assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      },
      grouped,
    );

    withQueue(
      'keeps the order of a group over failures, up to the dead letters',
      async ({ queue, peer, deadLetters }) => {
        await queue.send(['1', '2', '3'].map((body) => ({ body, group: 'g' })));
        await queue.send([{ body: 'other', group: 'h' }]);
        const [first] = await take(queue, 1);
        assert.equal(first?.body, '1');
        await queue.release(first.receipt, 2_000);
        const meanwhile = await take(peer);
        assert.deepEqual(bodies(meanwhile), ['other'], 'what stands behind the released one waits');
        await peer.acknowledge(receipts(meanwhile));
        const again = await take(peer, 1, 10_000, 1_000);
        assert.deepEqual([again[0]?.body, again[0]?.deliveries], ['1', 2]);
        const next = await take(queue, 1, 10_000);
        assert.deepEqual(bodies(next), ['2'], 'after two deliveries the first is given up');
        assert.deepEqual(bodies(await take(deadLetters, 1, 10_000)), ['1']);
        await queue.acknowledge(receipts(next));
        assert.deepEqual(bodies(await take(queue, 1)), ['3']);
      },
      grouped,
    );
  });
}
