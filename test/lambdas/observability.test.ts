import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import type { Context, SQSEvent } from 'aws-lambda';
import { delayedDeadHandler } from '../../lambdas/queue/delayed.ts';
import { publishDeadHandler } from '../../lambdas/queue/publish.ts';
import {
  uploadCompletedDeadHandler,
  uploadCompletedHandler,
} from '../../lambdas/queue/upload-completed.ts';
import type * as Correlation from '../../lambdas/runtime/correlation.ts';
import { type HttpEvent, json } from '../../lambdas/runtime/middleware.ts';
import type * as Observability from '../../lambdas/runtime/observability.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { memoryQueue } from './memory-queue.ts';

const CONTEXT = { awsRequestId: 'request-1' } as Context;
const JOB = { videoId: 'race', uid: 'u1', run: 2, number: 41 };

const recordOf = (body: string, messageId = 'm1') =>
  ({ messageId, body, attributes: { SentTimestamp: String(Date.now() - 1500) } }) as never;

const eventOf = (...bodies: unknown[]): SQSEvent => ({
  Records: bodies.map((body, index) =>
    recordOf(typeof body === 'string' ? body : JSON.stringify(body), `m${index}`),
  ),
});

/** Every line that is written while `work` runs, parsed. */
async function linesOf(t: TestContext, work: () => Promise<unknown>) {
  const lines: Record<string, unknown>[] = [];
  const writes = [process.stdout, process.stderr].map((stream) =>
    t.mock.method(stream, 'write', (chunk: string | Uint8Array) => {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line));
      return true;
    }),
  );
  try {
    await work();
  } finally {
    for (const write of writes) write.mock.restore();
  }
  return lines;
}

describe('observability', () => {
  let observability: typeof Observability;
  let correlation: typeof Correlation;

  before(async () => {
    process.env.POWERTOOLS_SERVICE_NAME = 'upload';
    process.env.POWERTOOLS_METRICS_NAMESPACE = 'Rivulet';
    process.env.RIVULET_STAGE = 'test';
    observability = await import('../../lambdas/runtime/observability.ts');
    correlation = await import('../../lambdas/runtime/correlation.ts');
  });

  test('a segment has the same correlation id at every hop', () => {
    const { correlationOf } = correlation;
    const id = 'race/u1/2/41';
    assert.equal(correlationOf(JSON.stringify(JOB)), id, 'transcode job and its dead letter');
    const { videoId, uid, run, number } = JOB;
    const completed = { run, number };
    assert.equal(correlationOf(JSON.stringify({ videoId, uid, completed })), id, 'publish request');
    assert.equal(correlationOf(JSON.stringify({ type: 'housekeeping', videoId, uid })), 'race/u1');
    for (const strange of ['', 'no json', '[]', '{"videoId":1,"uid":2}', 'null']) {
      assert.equal(correlationOf(strange), undefined);
    }
  });

  test('the log line of an upload names the segments whose jobs it queued', async (t) => {
    const queue = correlation.noteSent(memoryQueue());
    const handler = observability.observedApi(async () => {
      await queue.send([{ body: JSON.stringify(JOB) }]);
      return json(201, {});
    });
    const event = {
      requestContext: { http: { method: 'POST', path: '/upload/race' } },
      body: Buffer.from('12345').toString('base64'),
      isBase64Encoded: true,
    } as HttpEvent;
    const lines = await linesOf(t, () => handler(event, CONTEXT));
    const told = lines.find(({ message }) => message === 'request');
    assert.deepEqual(told?.correlationIds, ['race/u1/2/41']);
    assert.deepEqual([told?.status, told?.path, told?.service], [201, '/upload/race', 'upload']);
    const metrics = lines.find((line) => line._aws);
    assert.deepEqual(
      [metrics?.SegmentsUploaded, metrics?.BytesUploaded, metrics?.stage, metrics?.service],
      [1, 5, 'test', 'upload'],
    );
  });

  test("viewers' requests that succeed quickly are not logged", async (t) => {
    const statuses = [200, 304, 404, 500];
    const lines = await linesOf(t, async () => {
      for (const status of statuses) {
        const handler = observability.observedApi(async () => json(status, {}));
        const http = { method: 'GET', path: '/viewstream/metadata/race' };
        await handler({ requestContext: { http } } as HttpEvent, CONTEXT);
      }
    });
    assert.deepEqual(
      lines.map(({ status, level }) => [status, level]),
      [
        [404, 'INFO'],
        [500, 'ERROR'],
      ],
    );
  });

  test('queue delays are measured, and failed messages are logged', async (t) => {
    const done: string[] = [];
    const handler = observability.observedQueue(
      async () => ({ batchItemFailures: [{ itemIdentifier: 'm1' }] }),
      async (bodies) => void done.push(...bodies),
    );
    const event = eventOf(JOB, { ...JOB, number: 42 });
    const lines = await linesOf(t, async () => {
      assert.deepEqual(await handler(event, CONTEXT), {
        batchItemFailures: [{ itemIdentifier: 'm1' }],
      });
    });
    assert.deepEqual(done, [JSON.stringify(JOB)]);
    const told = lines.find(({ message }) => message === 'messages');
    assert.deepEqual([told?.level, told?.records, told?.failed], ['ERROR', 2, 1]);
    assert.deepEqual(told?.correlationIds, ['race/u1/2/41', 'race/u1/2/42']);
    const metrics = lines.find((line) => line._aws);
    const delays = metrics?.QueueDelay as number[];
    assert.ok(delays.length === 2 && delays.every((delay) => delay >= 1500 && delay < 10_000));
    assert.equal(metrics?.StepFailures, 1);
  });
});

describe('completed uploads', () => {
  const reports = eventOf(
    { Records: [{ s3: { object: { key: 'source/one/u/granted/ab.bin' } } }] },
    { key: 'source/two/u/granted/cd.bin' },
    { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' },
    {
      Records: ['source/thr%65e/u/granted/ef.bin', 'source/four/u/granted/01.bin'].map((key) => ({
        s3: { object: { key } },
      })),
    },
    'no json',
    { other: 1 },
  );
  const refused = ['m4', 'm5'].map((itemIdentifier) => ({ itemIdentifier }));

  test("uploads are committed key by key, in S3's format and in ours", async (t) => {
    t.mock.method(console, 'error', () => {});
    const asked: string[] = [];
    const records = { findStream: async (videoId: string) => void asked.push(videoId) };
    const handler = uploadCompletedHandler({ records } as unknown as Deps);
    assert.deepEqual(await handler(reports, CONTEXT), { batchItemFailures: refused });
    assert.deepEqual(asked, ['one', 'two', 'three', 'four']);
  });

  test('dead letters are sent again after a pause, one message for each key', async (t) => {
    t.mock.method(console, 'error', () => {});
    const uploadCompleted = memoryQueue();
    const handler = uploadCompletedDeadHandler({ queues: { uploadCompleted } } as unknown as Deps);
    assert.deepEqual(await handler(reports, CONTEXT), { batchItemFailures: refused });
    assert.deepEqual(
      uploadCompleted.sent,
      ['one/u/granted/ab', 'two/u/granted/cd', 'three/u/granted/ef', 'four/u/granted/01'].map(
        (key) => ({ body: JSON.stringify({ key: `source/${key}.bin` }), delayMs: 900_000 }),
      ),
    );
  });
});

describe('dead letters', () => {
  test('publish requests are sent again at once, and delayed messages after a pause', async () => {
    const [publish, delayed] = [memoryQueue(), memoryQueue()];
    const deps = { queues: { publish, delayed } } as unknown as Deps;
    const request = { videoId: 'v', uid: 'u', completed: { run: 1, number: 2 } };
    const message = { type: 'housekeeping', videoId: 'v', uid: 'u' };
    for (const [handler, body] of [
      [publishDeadHandler(deps), request],
      [delayedDeadHandler(deps), message],
    ] as const) {
      assert.deepEqual(await handler(eventOf(body), CONTEXT), { batchItemFailures: [] });
    }
    assert.deepEqual(publish.sent, [{ body: JSON.stringify(request), group: 'u' }]);
    assert.deepEqual(delayed.sent, [{ body: JSON.stringify(message), delayMs: 60_000 }]);
  });
});
