import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Context, SQSEvent } from 'aws-lambda';
import { deadLetterHandlers, queueHandlers } from '../../lambdas/queue/handlers.ts';
import { queueHandler } from '../../lambdas/runtime/middleware.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import {
  DEAD_LETTER_NAMES,
  type DeadLetterName,
  type HandledQueue,
  isHandled,
  QUEUE_NAMES,
} from '../../lib/ports/queues.ts';
import { memoryQueue } from './memory-queue.ts';

const eventOf = (...bodies: readonly string[]): SQSEvent =>
  ({ Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) }) as SQSEvent;

const failed = (...ids: readonly string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

/** Whatever a step asks of its surroundings fails. */
const brokenDeps = new Proxy({} as Deps, {
  get() {
    throw new Error('out of order');
  },
});

const stream = { videoId: 'show', uid: 'u1' };
const MESSAGES: Readonly<Record<HandledQueue, object>> = {
  publish: stream,
  delayed: { type: 'publish', ...stream },
  uploadCompleted: { key: 'source/show/u1/granted/ab.bin' },
  scaling: {},
};
const DEAD_LETTERS: Readonly<Record<DeadLetterName, object>> = {
  ...MESSAGES,
  jobs: { kind: 'transcode', ...stream, run: 1, number: 2 },
};

describe('queue handlers', () => {
  test('a message that fails is delivered again, and the others of its batch are acknowledged', async (t) => {
    t.mock.method(console, 'error', () => {});
    const seen: number[] = [];
    const handler = queueHandler({ parse: Number }, async (number) => {
      seen.push(number);
      if (number % 2 === 0) throw new Error('even');
    });
    const answer = await handler(eventOf('1', '2', '3', '4'), {} as Context);
    assert.deepEqual(answer, failed('m1', 'm3'));
    assert.deepEqual(seen, [1, 2, 3, 4]);
  });

  test('a message that is not JSON is delivered again, and logged with its body', async (t) => {
    const logged = t.mock.method(console, 'error', () => {});
    const handler = queueHandler({ parse: Number }, async () => {});
    assert.deepEqual(await handler(eventOf('{'), {} as Context), failed('m0'));
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /"record":"\{"/);
  });

  for (const name of QUEUE_NAMES.filter(isHandled)) {
    test(`${name}: a step that fails leaves its message on the queue`, async (t) => {
      t.mock.method(console, 'error', () => {});
      const limits = { min: 0, max: 1, jobsPerWorker: 1, secondsPerJob: 1, idleMs: 1 };
      const handler = queueHandlers(brokenDeps, limits)[name];
      const event = eventOf(JSON.stringify(MESSAGES[name]), '{"no":"message"}');
      const answer = await handler(event, {} as Context);
      assert.ok(answer.batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === 'm0'));
    });
  }

  for (const name of DEAD_LETTER_NAMES) {
    test(`${name}: a dead letter that cannot be handled stays where it is`, async (t) => {
      t.mock.method(console, 'error', () => {});
      const handler = deadLetterHandlers(brokenDeps)[name];
      const event = eventOf(JSON.stringify(DEAD_LETTERS[name]), '{"no":"message"}');
      assert.deepEqual(await handler(event, {} as Context), failed('m0', 'm1'));
    });
  }

  for (const name of DEAD_LETTER_NAMES.filter((one) => one !== 'jobs')) {
    test(`${name}: a dead letter is sent to its queue again`, async () => {
      const queue = memoryQueue();
      const deps = { queues: { [name]: queue } } as unknown as Deps;
      const handler = deadLetterHandlers(deps)[name];
      const answer = await handler(eventOf(JSON.stringify(DEAD_LETTERS[name])), {} as Context);
      assert.deepEqual(answer, failed());
      assert.deepEqual(
        queue.sent.map(({ body }) => JSON.parse(body)),
        [DEAD_LETTERS[name]],
      );
    });
  }

  test('jobs: a dead letter is given up, and acknowledged', async () => {
    const outcomes: unknown[] = [];
    const deps = {
      clock: { now: () => 5 },
      records: { recordOutcome: async (_: unknown, outcome: unknown) => outcomes.push(outcome) },
      queues: { publish: memoryQueue() },
    } as unknown as Deps;
    const event = eventOf(JSON.stringify(DEAD_LETTERS.jobs));
    assert.deepEqual(await deadLetterHandlers(deps).jobs(event, {} as Context), failed());
    assert.deepEqual(outcomes, [
      { type: 'failed', run: 1, number: 2, reason: 'every attempt failed', completedAtMs: 5 },
    ]);
  });
});
