import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import type { QueueMessage } from '../../lib/ports/ports.ts';
import { forEachQueue, type QueueName } from '../../lib/ports/queues.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { acknowledge, settle } from '../support/outcomes.ts';

/** The engine's queues, which also note what is sent, or refuse all of it. */
function recording(queues: Deps['queues']) {
  const sent: (QueueMessage & { queue: QueueName })[] = [];
  const state = { isDown: false };
  const noted = forEachQueue((name) => ({
    send: async (messages: readonly QueueMessage[]) => {
      if (state.isDown) throw new Error('the queues cannot be reached');
      sent.push(...messages.map((message) => ({ ...message, queue: name })));
      await queues[name].send(messages);
    },
    receive: (options: Parameters<Deps['queues']['liveJobs']['receive']>[0]) =>
      queues[name].receive(options),
    extend: (receipt: string, leaseMs: number) => queues[name].extend(receipt, leaseMs),
    acknowledge: (receipts: readonly string[]) => queues[name].acknowledge(receipts),
    release: (receipt: string, delayMs: number) => queues[name].release(receipt, delayMs),
    depth: () => queues[name].depth(),
  }));
  /** What was sent to a queue since it was last asked for. */
  const take = (name: QueueName) => {
    const taken = sent.filter(({ queue }) => queue === name);
    sent.splice(0, sent.length, ...sent.filter(({ queue }) => queue !== name));
    return taken;
  };
  const numbers = () => take('liveJobs').map(({ body }) => JSON.parse(body).number as number);
  return { queues: noted, state, take, numbers };
}

async function setUp(t: TestContext, { redundant = false } = {}) {
  const engine = await testEngine(t);
  const { queues, state, take, numbers } = recording(engine.deps.queues);
  const deps: Deps = { ...engine.deps, queues };
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, idleTimeoutSeconds: 300, redundant } };
  await engine.records.createStream(stream);
  const { segments } = await makeSegments({ seconds: 4 });
  const upload = async (number: number) => {
    const found = await engine.records.findStream('show');
    const bytes = segments[number]?.bytes;
    assert.ok(found && bytes);
    return uploadSegment(deps, found, { number, bytes, pushed: false });
  };
  const keepHouse = () =>
    onDelayedMessage(deps, { type: 'housekeeping', videoId: 'show', uid: stream.uid });
  /** A worker died with the messages, or nobody ever had them. */
  const loseJobs = async () => {
    const jobs = await deps.queues.liveJobs.receive({ max: 1000, waitMs: 0, leaseMs: 1000 });
    await deps.queues.liveJobs.acknowledge(jobs.map(({ receipt }) => receipt));
  };
  return { engine, deps, stream, state, take, numbers, upload, keepHouse, loseJobs };
}

describe('lost jobs', () => {
  test('an upload that is repeated because its messages could not be sent queues its job at once', async (t) => {
    const { state, take, numbers, upload } = await setUp(t);
    state.isDown = true;
    await assert.rejects(upload(0), /cannot be reached/);
    state.isDown = false;
    const { isNew } = await upload(0);
    assert.equal(isNew, false, 'the bytes had been stored');
    assert.deepEqual(numbers(), [0]);
    const [housekeeping, ...others] = take('delayed');
    assert.deepEqual([housekeeping?.delayMs, others], [30_000, []]);
  });

  test('a job that failed to be sent twice is queued by the third upload', async (t) => {
    const { state, numbers, upload } = await setUp(t);
    state.isDown = true;
    await assert.rejects(upload(0), /cannot be reached/);
    await assert.rejects(upload(0), /cannot be reached/);
    state.isDown = false;
    await upload(0);
    assert.deepEqual(numbers(), [0]);
  });

  test('a job without a message or an outcome is queued again after 45 seconds, and a finished one is not', async (t) => {
    const { engine, stream, numbers, upload, keepHouse, loseJobs } = await setUp(t);
    await upload(0);
    await upload(1);
    await settle(engine, stream, 1, 0);
    numbers();
    await loseJobs();
    engine.clock.nowMs += 30_000;
    await keepHouse();
    assert.deepEqual(numbers(), [], 'a job may take its time');
    engine.clock.nowMs += 30_000;
    await keepHouse();
    assert.deepEqual(numbers(), [1]);
  });

  test('forty segments that wait without a worker for an hour have one message each', async (t) => {
    const { engine, deps, stream, keepHouse, numbers } = await setUp(t);
    for (let number = 0; number < 40; number += 1) await acknowledge(engine, stream, 1, number);
    const { uid, videoId } = stream;
    const job = (number: number) => ({
      body: JSON.stringify({ kind: 'transcode', videoId, uid, run: 1, number }),
      group: uid,
    });
    await deps.queues.liveJobs.send(Array.from({ length: 40 }, (_, number) => job(number)));
    numbers();
    for (let minute = 0; minute < 60; minute += 1) {
      engine.clock.nowMs += 60_000;
      await keepHouse();
    }
    assert.deepEqual(numbers(), []);
    assert.equal((await deps.queues.liveJobs.depth()).ready, 40);
  });

  test('a segment whose messages are lost again and again has one more message each quarter of an hour', async (t) => {
    const { engine, upload, numbers, keepHouse, loseJobs } = await setUp(t);
    await upload(0);
    for (let minute = 0; minute < 30; minute += 1) {
      engine.clock.nowMs += 60_000;
      await loseJobs();
      await keepHouse();
    }
    assert.deepEqual(numbers(), [0, 0, 0], 'at the upload, after a minute, after 16');
  });

  test('a job that later ones of its stream have overtaken is queued again, though others wait', async (t) => {
    const { engine, deps, stream, upload, numbers, keepHouse, loseJobs } = await setUp(t);
    await upload(0);
    await loseJobs();
    engine.clock.nowMs += 60_000;
    await acknowledge(engine, stream, 1, 1);
    await settle(engine, stream, 1, 1);
    await deps.queues.liveJobs.send(
      Array.from({ length: 9 }, () => ({ body: '{}', group: 'another' })),
    );
    numbers();
    await keepHouse();
    assert.deepEqual(numbers(), [0]);
  });

  test('redundant ingest queues each segment once, however often it comes', async (t) => {
    const { engine, upload, numbers } = await setUp(t, { redundant: true });
    for (let copy = 0; copy < 5; copy += 1) {
      await upload(0);
      await upload(1);
      engine.clock.nowMs += 10_000;
    }
    assert.deepEqual(numbers(), [0, 1]);
  });

  test('a repeated upload queues a lost job after five seconds, once', async (t) => {
    const { engine, upload, numbers, loseJobs } = await setUp(t);
    await upload(0);
    await loseJobs();
    engine.clock.nowMs += 4_999;
    await upload(0);
    assert.deepEqual(numbers(), [0], 'its job may have been taken just now');
    engine.clock.nowMs += 1;
    await upload(0);
    await loseJobs();
    engine.clock.nowMs += 60_000;
    await upload(0);
    assert.deepEqual(numbers(), [0]);
  });
});

describe('housekeeping', () => {
  test('housekeeping goes on once, however many messages for it were sent', async (t) => {
    const { engine, take, upload, keepHouse } = await setUp(t);
    await upload(0);
    await upload(0);
    await upload(0);
    assert.equal(take('delayed').length, 3);
    engine.clock.nowMs += 30_000;
    for (let message = 0; message < 3; message += 1) await keepHouse();
    assert.equal(take('delayed').length, 1);
    engine.clock.nowMs += 30_000;
    await keepHouse();
    assert.equal(take('delayed').length, 1);
  });

  test('a stream whose encoder is silent for its idle timeout ends, even before the planned round', async (t) => {
    const { engine, take, upload, keepHouse } = await setUp(t);
    await upload(0);
    for (let round = 0; round < 10; round += 1) {
      engine.clock.nowMs += 29_000;
      await keepHouse();
    }
    const [planned] = take('delayed').slice(-1);
    assert.equal(planned?.delayMs, 10_000);
    engine.clock.nowMs += 10_000;
    await keepHouse();
    const found = await engine.records.findStream('show');
    const end = found && (await engine.records.endRequest(found.value));
    assert.deepEqual([end?.reason, end?.number], ['idle', 0]);
  });

  for (const [title, roundsBefore] of [
    ['before the first round', 0],
    ['between two rounds', 2],
  ] as const) {
    test(`a clock that is set forward by a day ${title} ends no stream before its idle timeout`, async (t) => {
      const { engine, stream, upload, keepHouse } = await setUp(t);
      const isEnding = async () => (await engine.records.endRequest(stream)) !== undefined;
      await upload(0);
      for (let round = 0; round < roundsBefore; round += 1) {
        engine.clock.nowMs += 30_000;
        await keepHouse();
      }
      engine.clock.nowMs += 24 * 3_600_000;
      await keepHouse();
      assert.equal(await isEnding(), false, 'nobody was waited for');
      let rounds = roundsBefore;
      for (; rounds < 20 && !(await isEnding()); rounds += 1) {
        engine.clock.nowMs += 30_000;
        await keepHouse();
      }
      assert.ok(rounds >= 8 && rounds <= 10, `ended after ${rounds} rounds of 30 s`);
    });
  }

  test('a clock that is set back by a day delays neither housekeeping nor the end of a silent stream', async (t) => {
    const { engine, take, upload, keepHouse } = await setUp(t);
    await upload(0);
    engine.clock.nowMs += 30_000;
    await keepHouse();
    engine.clock.nowMs -= 24 * 3_600_000;
    take('delayed');
    let rounds = 0;
    for (; rounds < 20; rounds += 1) {
      await keepHouse();
      const next = take('delayed').at(-1)?.delayMs ?? assert.fail('housekeeping has stopped');
      engine.clock.nowMs += next;
      const found = await engine.records.findStream('show');
      if (found && (await engine.records.endRequest(found.value))) break;
    }
    assert.ok(rounds > 5 && rounds <= 11, `ended after ${rounds} rounds of 30 s`);
  });
});
