import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { QueuePoller, type QueuePollerOptions } from '../../lib/embedded/queue-poller.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The same queue; calls of `extend` are counted by receipt. */
function countingExtensions(queue: WorkQueue) {
  const extensions = new Map<string, number>();
  const counting: WorkQueue = {
    send: (messages) => queue.send(messages),
    receive: (options) => queue.receive(options),
    extend: (receipt, leaseMs) => {
      extensions.set(receipt, (extensions.get(receipt) ?? 0) + 1);
      return queue.extend(receipt, leaseMs);
    },
    acknowledge: (receipts) => queue.acknowledge(receipts),
    release: (receipt, delayMs) => queue.release(receipt, delayMs),
    depth: () => queue.depth(),
  };
  return { counting, extensions };
}

const isEmpty = async (queue: WorkQueue) =>
  Object.values(await queue.depth()).every((count) => count === 0);

describe('the queue poller', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let ports: EmbeddedPorts;
  let reported: string[] = [];
  before(async () => {
    folder = await temporaryFolder();
    ports = embeddedPorts(openDataFolder(folder.path));
  });
  after(async () => {
    ports.close();
    await folder.remove();
  });
  beforeEach(() => {
    reported = [];
  });
  const poll = (
    queue: WorkQueue,
    handler: QueuePollerOptions['handler'],
    more: Partial<QueuePollerOptions> = {},
  ) =>
    new QueuePoller({
      name: 'jobs',
      queue,
      handler,
      backoff: { firstMs: 10, maxMs: 60_000 },
      report: (error, what) => reported.push(`${what}: ${error}`),
      ...more,
    });

  test('hands over SQS events, tries failures again, and makes dead letters of what never succeeds', async () => {
    const { liveJobs } = ports.queues;
    const tries: [string, string][] = [];
    const poller = poll(liveJobs, (event: SQSEvent) => {
      tries.push(
        ...event.Records.map((record): [string, string] => [
          record.body,
          record.attributes.ApproximateReceiveCount,
        ]),
      );
      assert.ok(event.Records.every(({ eventSource }) => eventSource === 'aws:sqs'));
      const failed = event.Records.filter(
        ({ body, attributes }) =>
          body === 'hopeless' || (body === 'late' && attributes.ApproximateReceiveCount !== '3'),
      );
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await liveJobs.send(['fine', 'late', 'hopeless'].map((body) => ({ body, group: 'g' })));
    await until(async () => (await ports.deadLetters.jobs.depth()).ready === 1);
    await poller.stop();
    assert.ok(await isEmpty(liveJobs));
    const of = (wanted: string) =>
      tries.filter(([body]) => body === wanted).map(([, count]) => count);
    assert.deepEqual(
      [of('fine'), of('late'), of('hopeless')],
      [['1'], ['1', '2', '3'], ['1', '2', '3', '4', '5']],
    );
    assert.deepEqual(reported, []);
  });

  test('tries the whole batch again after an error, a timeout, or an answer of another shape', async () => {
    const { delayed } = ports.queues;
    const answers: (() => unknown)[] = [
      () => {
        throw new Error('broken');
      },
      () => new Promise(() => {}),
      () => ({ batchItemFailures: [{ itemIdentifier: 'unknown' }] }),
      () => ({ batchItemFailures: [{}] }),
      () => undefined,
    ];
    const sizes: number[] = [];
    await delayed.send([{ body: 'a' }, { body: 'b' }]);
    const poller = poll(
      delayed,
      (event: SQSEvent) => {
        sizes.push(event.Records.length);
        return answers[Number(event.Records[0]?.attributes.ApproximateReceiveCount) - 1]?.();
      },
      { timeoutMs: 50, concurrentBatches: 1 },
    );
    await until(() => isEmpty(delayed));
    await poller.stop();
    assert.equal(
      sizes.reduce((sum, size) => sum + size),
      10,
    );
    assert.match(reported.join('\n'), /broken.*did not answer within 50 ms.*itemIdentifier/s);
  });

  test('keeps the leases of running handlers, runs one batch of a group at a time, and ends what it took', async () => {
    const { publish } = ports.queues;
    const { counting, extensions } = countingExtensions(publish);
    for (const number of [1, 2, 3]) {
      for (const group of ['a', 'b']) await publish.send([{ body: `${group}${number}`, group }]);
    }
    const handled: string[] = [];
    const running = new Set<string>();
    let most = 0;
    const poller = poll(
      counting,
      async (event: SQSEvent) => {
        const groups = new Set(
          event.Records.map(({ attributes }) => attributes.MessageGroupId ?? ''),
        );
        for (const group of groups) {
          assert.ok(!running.has(group), `two batches of group ${group}`);
          running.add(group);
        }
        most = Math.max(most, running.size);
        // Longer than a lease, which is extended three times in its length.
        const [receipt = ''] = event.Records.map(({ receiptHandle }) => receiptHandle);
        await until(() => (extensions.get(receipt) ?? 0) > 3);
        for (const group of groups) running.delete(group);
        handled.push(...event.Records.map(({ body }) => body));
      },
      { batchSize: 1, concurrentBatches: 3, leaseMs: 300 },
    );
    await until(() => running.size > 0 && handled.length > 0);
    const stopped = poller.stop();
    assert.ok(running.size > 0);
    await stopped;
    assert.equal(running.size, 0, 'what was taken is finished');
    assert.equal(most, 2);
    const left = (await publish.depth()).ready;
    assert.equal(left + handled.length, 6, 'nothing is in between');
    const next = poll(publish, (event: SQSEvent) => {
      handled.push(...event.Records.map(({ body }) => body));
    });
    await until(() => isEmpty(publish));
    await next.stop();
    for (const group of ['a', 'b']) {
      const order = handled.filter((body) => body.startsWith(group));
      assert.deepEqual(
        order,
        [1, 2, 3].map((number) => `${group}${number}`),
      );
    }
    assert.deepEqual(reported, []);
  });

  test('goes on after the queue itself has failed', async () => {
    let calls = 0;
    const { counting } = countingExtensions(ports.queues.uploadCompleted);
    const queue: WorkQueue = {
      ...counting,
      receive: async (options) => {
        calls += 1;
        if (calls === 1) throw new Error('disk full');
        return counting.receive(options);
      },
    };
    await queue.send([{ body: 'x' }]);
    const poller = poll(queue, () => {});
    await until(() => isEmpty(queue));
    await poller.stop();
    assert.match(reported.join(), /receiving from jobs: Error: disk full/);
  });
});
