/** What every work queue must do. Leases and delays are whole seconds, the finest that SQS knows. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Delivery, QueueMessage, WorkQueue } from '../../lib/ports/ports.ts';
import type { QueueSpec } from '../../lib/ports/queues.ts';

export type WorkQueueUnderTest = Readonly<{
  queue: WorkQueue;
  deadLetters: WorkQueue;
  /** The same queue as another process would open it. */
  peer: WorkQueue;
  close(): Promise<void>;
}>;

type Groups = QueueSpec['groups'];

export type WorkQueueOptions = Readonly<{ groups?: Groups; maxDeliveries: number }>;

/** Makes an empty queue. Where it polls beside being notified, it does so too seldom to be noticed. */
export type MakeWorkQueue = (options: WorkQueueOptions) => Promise<WorkQueueUnderTest>;

const LEASE_MS = 20_000;
const SHORT_LEASE_MS = 5_000;
const DELAY_MS = 3_000;
/** Longer than the test may last: only a message ends such a wait in time. */
const FOR_EVER_MS = 10 * 60_000;
const EMPTY = { ready: 0, inFlight: 0, delayed: 0 };

const bodies = (deliveries: readonly Delivery[]) => deliveries.map(({ body }) => body);
const receipts = (deliveries: readonly Delivery[]) => deliveries.map(({ receipt }) => receipt);
const take = (queue: WorkQueue, max = 10, leaseMs = LEASE_MS) =>
  queue.receive({ max, waitMs: FOR_EVER_MS, leaseMs });
const takeNow = (queue: WorkQueue) => queue.receive({ max: 10, waitMs: 0, leaseMs: LEASE_MS });

async function takeOne(queue: WorkQueue, leaseMs = LEASE_MS): Promise<Delivery> {
  const [delivery] = await take(queue, 1, leaseMs);
  return delivery ?? assert.fail('no message');
}

/** A queue may give fewer than it has, so ask until `count` came. */
async function takeAll(queue: WorkQueue, count: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) {
    deliveries.push(...(await take(queue, Math.min(10, count - deliveries.length))));
  }
  return deliveries;
}

export function workQueueContract(name: string, make: MakeWorkQueue): void {
  const withQueue = (
    title: string,
    options: WorkQueueOptions,
    run: (made: WorkQueueUnderTest) => Promise<void>,
  ) =>
    test(title, { timeout: 60_000 }, async () => {
      const made = await make(options);
      try {
        await run(made);
      } finally {
        await made.close();
      }
    });

  describe(`${name} as a work queue`, { concurrency: 4 }, () => {
    describe('without groups', { concurrency: 4 }, () => deliveryContract(undefined, withQueue));
    describe('with fair groups', { concurrency: 4 }, () => {
      deliveryContract('fair', withQueue);
      fairContract(withQueue);
    });
    describe('with ordered groups', { concurrency: 4 }, () => orderedContract(withQueue));

    for (const groups of ['fair', 'ordered'] as const) {
      withQueue(
        `a message without a group is refused where groups are ${groups}`,
        { groups, maxDeliveries: 5 },
        async ({ queue }) => {
          await assert.rejects(queue.send([{ body: 'job' }]), /need a group/);
          await assert.rejects(
            queue.send([{ body: 'one', group: 'g' }, { body: 'two' }]),
            /need a group/,
          );
          assert.deepEqual(await queue.depth(), EMPTY, 'the others of the call neither');
        },
      );
    }

    withQueue(
      'a message with a group is refused where there are none',
      { maxDeliveries: 5 },
      async ({ queue }) => {
        await assert.rejects(queue.send([{ body: 'job', group: 'g' }]), /have no group/);
      },
    );

    withQueue(
      'a message in order cannot be delayed',
      { groups: 'ordered', maxDeliveries: 5 },
      async ({ queue }) => {
        const late = { body: 'late', group: 'g', delayMs: 1_000 };
        await assert.rejects(queue.send([late]), /cannot be delayed/);
      },
    );
  });
}

type WithQueue = (
  title: string,
  options: WorkQueueOptions,
  run: (made: WorkQueueUnderTest) => Promise<void>,
) => void;

/** Holds for queues that may deliver in any order. */
function deliveryContract(groups: 'fair' | undefined, withQueue: WithQueue): void {
  const options: WorkQueueOptions = { maxDeliveries: 5, ...(groups && { groups }) };
  const message = (body: string, delayMs = 0): QueueMessage => ({
    body,
    delayMs,
    ...(groups && { group: `group of ${body}` }),
  });

  withQueue(
    'each message is delivered once, to one receiver, until it is acknowledged',
    options,
    async ({ queue, peer }) => {
      const sent = Array.from({ length: 25 }, (_, index) => `message ${index} ü`);
      await queue.send(sent.map((body) => message(body)));
      const deliveries = (await Promise.all([takeAll(queue, 10), takeAll(peer, 15)])).flat();
      assert.deepEqual(bodies(deliveries).sort(), sent.toSorted());
      assert.ok(deliveries.every(({ deliveries: count }) => count === 1));
      assert.equal(new Set(deliveries.map(({ id }) => id)).size, 25);
      assert.deepEqual(await takeNow(queue), []);
      assert.deepEqual(await queue.depth(), { ...EMPTY, inFlight: 25 });
      await peer.acknowledge(receipts(deliveries));
      assert.deepEqual(await queue.depth(), EMPTY);
    },
  );

  withQueue(
    'a message is delivered again when its lease ran out, and the old receipt is of no use',
    options,
    async ({ queue, peer }) => {
      await queue.send([message('job')]);
      const first = await takeOne(queue, 1_000);
      const second = await takeOne(peer);
      assert.deepEqual([second.body, second.id, second.deliveries], ['job', first.id, 2]);
      assert.notEqual(second.receipt, first.receipt);
      assert.equal(await queue.extend(first.receipt, LEASE_MS), false);
      await queue.acknowledge([first.receipt, 'nonsense']);
      assert.equal((await queue.depth()).inFlight, 1, 'still with the second receiver');
      assert.equal(await queue.extend(second.receipt, LEASE_MS), true);
      await queue.acknowledge([second.receipt]);
      assert.equal(await queue.extend(second.receipt, LEASE_MS), false);
      assert.deepEqual(await queue.depth(), EMPTY);
    },
  );

  withQueue(
    'a message stays with its receiver as long as the lease is extended',
    options,
    async ({ queue, peer }) => {
      await queue.send([message('kept')]);
      const kept = await takeOne(queue, SHORT_LEASE_MS);
      await queue.send([message('left alone')]);
      // When it comes again, the first lease of the other one would be over, too.
      let witness = await takeOne(queue, SHORT_LEASE_MS);
      while (witness.deliveries < 2) {
        assert.equal(await queue.extend(kept.receipt, SHORT_LEASE_MS), true);
        const options = { max: 10, waitMs: 500, leaseMs: SHORT_LEASE_MS };
        const [again, ...more] = await peer.receive(options);
        assert.deepEqual(more, []);
        if (!again) continue;
        assert.equal(again.body, 'left alone');
        witness = again;
      }
      await queue.acknowledge([kept.receipt, witness.receipt]);
      assert.deepEqual(await queue.depth(), EMPTY);
    },
  );

  withQueue('a message is given back at once or for later', options, async ({ queue, peer }) => {
    await queue.send([message('job')]);
    const first = await takeOne(queue);
    await queue.release(first.receipt, 0);
    const second = await takeOne(peer);
    assert.equal(second.deliveries, 2);
    await peer.release(second.receipt, DELAY_MS);
    assert.deepEqual(await takeNow(queue), []);
    assert.equal((await takeOne(queue)).deliveries, 3);
  });

  withQueue('a delayed message is held back', options, async ({ queue }) => {
    await queue.send([message('later', DELAY_MS), message('now')]);
    assert.deepEqual(bodies(await take(queue)), ['now']);
    assert.equal((await queue.depth()).delayed, 1);
    assert.deepEqual(bodies(await take(queue)), ['later']);
  });

  withQueue(
    'a receiver that waits is woken by a message, and else waits no longer than it asked',
    options,
    async ({ queue, peer }) => {
      assert.deepEqual(await queue.receive({ max: 1, waitMs: 1_000, leaseMs: LEASE_MS }), []);
      const waiting = take(queue);
      await peer.send([message('wake up')]);
      assert.deepEqual(bodies(await waiting), ['wake up']);
    },
  );

  withQueue(
    'a receiver stops waiting at a signal, and no message is lost by it',
    options,
    async ({ queue }) => {
      const stop = new AbortController();
      const { signal } = stop;
      const receive = () => queue.receive({ max: 1, waitMs: FOR_EVER_MS, leaseMs: 1_000, signal });
      const waiting = receive();
      stop.abort();
      assert.deepEqual(await waiting, []);
      assert.deepEqual(await receive(), []);
      await queue.send([message('after')]);
      assert.deepEqual(bodies(await take(queue)), ['after']);
    },
  );

  withQueue(
    'a message goes to the dead letters after its last delivery',
    { ...options, maxDeliveries: 2 },
    async ({ queue, deadLetters }) => {
      await queue.send([message('poison')]);
      for (const count of [1, 2]) {
        const poison = await takeOne(queue);
        assert.deepEqual([poison.body, poison.deliveries], ['poison', count]);
        await queue.release(poison.receipt, 0);
      }
      await queue.send([message('fine')]);
      assert.deepEqual(bodies(await take(queue)), ['fine']);
      const dead = await takeOne(deadLetters);
      assert.deepEqual([dead.body, dead.group], ['poison', groups && 'group of poison']);
      await deadLetters.acknowledge([dead.receipt]);
      assert.deepEqual(await deadLetters.depth(), EMPTY);
      assert.equal((await queue.depth()).ready, 0);
    },
  );
}

/** In which order groups are served is not for this suite: an emulator of SQS knows no fairness. */
function fairContract(withQueue: WithQueue): void {
  withQueue(
    'messages of one group are with several receivers at once, and each delivery names its group',
    { groups: 'fair', maxDeliveries: 5 },
    async ({ queue, peer }) => {
      const numbers = [1, 2, 3, 4];
      const sent = ['a', 'b'].flatMap((group) =>
        numbers.map((number) => ({ body: `${group}${number}`, group })),
      );
      await queue.send(sent);
      const deliveries = (await Promise.all([takeAll(queue, 4), takeAll(peer, 4)])).flat();
      assert.deepEqual(bodies(deliveries).sort(), sent.map(({ body }) => body).sort());
      assert.ok(deliveries.every(({ body, group }) => group === body[0]));
      const [first] = deliveries;
      await queue.release(first?.receipt ?? '', 0);
      const again = await takeOne(peer);
      assert.deepEqual([again.body, again.group], [first?.body, first?.group]);
      await queue.acknowledge(receipts([...deliveries, again]));
      assert.deepEqual(await queue.depth(), EMPTY);
    },
  );

  withQueue(
    'a receiver gets none of the groups that it leaves out, and its poll is no delivery of theirs',
    { groups: 'fair', maxDeliveries: 1 },
    async ({ queue, peer }) => {
      await queue.send([{ body: 'a1', group: 'a' }]);
      const options = { max: 1, waitMs: 0, leaseMs: LEASE_MS, exceptGroups: ['a', 'b'] };
      for (const receiver of [queue, peer, queue]) {
        assert.deepEqual(await receiver.receive(options), []);
      }
      const stop = new AbortController();
      const { signal } = stop;
      const waiting = queue.receive({ ...options, waitMs: FOR_EVER_MS, signal });
      stop.abort();
      assert.deepEqual(await waiting, []);
      const job = await takeOne(queue);
      assert.deepEqual([job.body, job.deliveries], ['a1', 1]);
    },
  );
}

function orderedContract(withQueue: WithQueue): void {
  const options = { groups: 'ordered', maxDeliveries: 2 } as const;

  withQueue(
    'a group is delivered in order, one batch at a time, and groups beside each other',
    options,
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
      assert.deepEqual(await takeNow(peer), [], 'until all of it is acknowledged');
      const waiting = take(peer);
      await queue.acknowledge(receipts(first.slice(1)));
      const rest = await waiting;
      assert.deepEqual(bodies(rest), ['a3', 'a4'], 'the end of the batch wakes the receiver');
      await queue.acknowledge(receipts([...rest, ...beside]));
      assert.deepEqual(await queue.depth(), EMPTY);
    },
  );

  withQueue(
    'a group keeps its order over failures, up to the dead letters',
    options,
    async ({ queue, peer, deadLetters }) => {
      await queue.send(['1', '2', '3'].map((body) => ({ body, group: 'g' })));
      await queue.send([{ body: 'other', group: 'h' }]);
      const first = await takeOne(queue);
      assert.equal(first.body, '1');
      await queue.release(first.receipt, DELAY_MS);
      const meanwhile = await take(peer);
      assert.deepEqual(bodies(meanwhile), ['other'], 'what stands behind the released one waits');
      await peer.acknowledge(receipts(meanwhile));
      const again = await takeOne(peer, 1_000);
      assert.deepEqual([again.body, again.deliveries], ['1', 2]);
      const next = await takeOne(queue);
      assert.equal(next.body, '2', 'after two deliveries the first one is a dead letter');
      assert.deepEqual(bodies(await take(deadLetters)), ['1']);
      await queue.acknowledge([next.receipt]);
      assert.deepEqual(bodies(await take(queue, 1)), ['3']);
    },
  );
}
