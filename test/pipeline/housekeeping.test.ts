import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import type { QueueMessage, WorkQueue } from '../../lib/pipeline/ports.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { settle } from '../support/outcomes.ts';

type Sent = Readonly<{ queue: string; body: unknown; delayMs: number }>;

/** Queues that keep what is sent, or refuse all of it. */
function recordingQueues() {
  const sent: Sent[] = [];
  const state = { isDown: false };
  const queue = (name: string) =>
    ({
      send: async (messages: readonly QueueMessage[]) => {
        if (state.isDown) throw new Error('the queues cannot be reached');
        for (const { body, delayMs = 0 } of messages) {
          sent.push({ queue: name, body: JSON.parse(body), delayMs });
        }
      },
    }) as unknown as WorkQueue;
  const queues = {
    transcode: queue('transcode'),
    publish: queue('publish'),
    timers: queue('timers'),
    ingest: queue('ingest'),
    looks: queue('looks'),
  };
  /** What was sent since the last time, to one queue. */
  const take = (name: string): Sent[] => {
    const taken = sent.filter((message) => message.queue === name);
    sent.splice(0, sent.length, ...sent.filter((message) => message.queue !== name));
    return taken;
  };
  return { queues, state, take };
}

async function setUp(t: TestContext) {
  const engine: TestEngine = await testEngine(t);
  const { queues, state, take } = recordingQueues();
  const deps: Deps = { ...engine.deps, queues };
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, idleTimeoutSeconds: 300 } };
  await engine.records.createStream(stream);
  const { segments } = await makeSegments({ seconds: 4 });
  const upload = async (number: number) => {
    const found = await engine.records.findStream('show');
    const bytes = segments[number]?.bytes;
    assert.ok(found && bytes);
    return uploadSegment(deps, found, { number, bytes, pushed: false });
  };
  const look = () => onDelayedMessage(deps, { type: 'watch', videoId: 'show', uid: stream.uid });
  const settleSegment = (number: number) => settle(engine, stream, 1, number);
  return { engine, state, take, upload, look, settle: settleSegment, clock: engine.clock };
}

describe('the watch over an open stream', () => {
  test('begins with an upload that is repeated because nothing could be sent the first time', async (t) => {
    const { state, take, upload } = await setUp(t);
    state.isDown = true;
    await assert.rejects(upload(0), /cannot be reached/);
    state.isDown = false;
    const { isNew } = await upload(0);
    assert.equal(isNew, false, 'the bytes had been stored');
    assert.deepEqual(
      take('transcode').map(({ body }) => (body as { number: number }).number),
      [0],
    );
    const [timer, ...others] = take('timers');
    assert.deepEqual([timer?.delayMs, others], [30_000, []]);
  });

  test('queues again what has no outcome after a while, and not what has one', async (t) => {
    const { take, upload, look, settle, clock } = await setUp(t);
    await upload(0);
    await upload(1);
    await settle(0);
    take('transcode');
    clock.nowMs += 30_000;
    await look();
    assert.deepEqual(take('transcode'), [], 'a job may take its time');
    clock.nowMs += 30_000;
    await look();
    const jobs = take('transcode').map(({ body }) => body as { run: number; number: number });
    assert.deepEqual(
      jobs.map(({ run, number }) => [run, number]),
      [[1, 1]],
    );
  });

  test('goes on once, however many timers were set', async (t) => {
    const { take, upload, look, clock } = await setUp(t);
    await upload(0);
    await upload(0);
    await upload(0);
    assert.equal(take('timers').length, 3);
    clock.nowMs += 30_000;
    for (let timer = 0; timer < 3; timer += 1) await look();
    assert.equal(take('timers').length, 1);
    clock.nowMs += 30_000;
    await look();
    assert.equal(take('timers').length, 1);
  });

  test('ends a stream whose encoder is silent for its time, even before the look that was planned', async (t) => {
    const { take, upload, look, engine, clock } = await setUp(t);
    await upload(0);
    clock.nowMs += 290_000;
    await look();
    const [planned] = take('timers').slice(-1);
    assert.equal(planned?.delayMs, 10_000);
    clock.nowMs += 10_000;
    await look();
    const found = await engine.records.findStream('show');
    const end = found && (await engine.records.endRequest(found.value));
    assert.deepEqual([end?.reason, end?.number], ['idle', 0]);
  });
});
