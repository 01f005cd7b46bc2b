import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context, SQSEvent } from 'aws-lambda';
import { publishHandler } from '../../lambdas/queue/publish.ts';
import type { SegmentOutcome } from '../../lib/domain/segment.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { type ListedSegment, publishStream } from '../../lib/pipeline/publish/publish.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import type { RecordStore } from '../../lib/ports/ports.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { acknowledge, publish, SEGMENT_TICKS, settle } from '../support/outcomes.ts';

const FAILED = 250;

const RENDERED = {
  durationTicks: SEGMENT_TICKS,
  uploadedAtMs: START_MS,
  renditions: { '720p': { key: 'k', initKey: 'i', sizeBytes: 1 } },
  catalogue: {},
};

test('publisher: more failed segments than one read holds delay nothing', async (t) => {
  const engine = await testEngine(t);
  const stream = newStream('show', START_MS);
  await engine.records.createStream(stream);
  const fail = async (run: number, number: number) => {
    await acknowledge(engine, stream, run, number);
    const completedAtMs = engine.clock.nowMs;
    const failure = { type: 'failed' as const, run, number, reason: 'undecodable', completedAtMs };
    await engine.records.recordOutcome(stream, failure);
  };
  for (let number = 0; number < FAILED; number += 1) await fail(1, number);
  await acknowledge(engine, stream, 1, FAILED);
  await settle(engine, stream, 1, FAILED);
  const { value: timeline } = await engine.records.timeline(stream);
  assert.deepEqual([timeline.nextSequence, timeline.nextNumber], [1, FAILED + 1]);

  // A run that ends with failures is left when the last of its segments is completed, not before.
  for (let number = FAILED + 1; number < 2 * FAILED; number += 1) await fail(1, number);
  await acknowledge(engine, stream, 1, 2 * FAILED);
  await acknowledge(engine, stream, 2, 0);
  await settle(engine, stream, 2, 0);
  assert.equal((await engine.records.timeline(stream)).value.run, 1);
  await settle(engine, stream, 1, 2 * FAILED);
  await publish(engine, stream);
  const { value: end } = await engine.records.timeline(stream);
  assert.deepEqual([end.run, end.nextSequence], [2, 3]);
});

describe('publisher', () => {
  async function start(t: TestContext) {
    const engine = await testEngine(t);
    const stream = newStream('show', START_MS);
    await engine.records.createStream(stream);
    /** Numbers of segments, and the seconds from upload to listing. */
    const delays = (listed: readonly ListedSegment[]) =>
      listed.map(({ number, uploadedAtMs, listedAtMs }) => [
        number,
        (listedAtMs - uploadedAtMs) / 1000,
      ]);
    const wait = (seconds: number) => {
      engine.clock.nowMs += seconds * 1000;
    };
    return { engine, stream, delays, wait };
  }

  /** The outcomes of a run's numbers as workers record them, without a publish request; undefined: not yet. */
  const complete = async (
    { records }: TestEngine,
    stream: Stream,
    outcomes: readonly (SegmentOutcome['type'] | undefined)[],
  ) => {
    for (const [number, type] of outcomes.entries()) {
      if (type === undefined) continue;
      const of = { run: 1, number, completedAtMs: START_MS };
      const outcome: SegmentOutcome =
        type === 'failed'
          ? { type, reason: 'undecodable', ...of }
          : { type, ...of, ...RENDERED, startTicks: number * SEGMENT_TICKS };
      await records.recordOutcome(stream, outcome);
    }
  };

  for (const [title, outcomes, last] of [
    ['more ready segments than one write holds', Array(120).fill('rendered'), 119],
    [
      'a ready segment that failed ones keep out of the first read',
      [...Array(30).fill('rendered'), ...Array(80).fill('failed'), 'rendered'],
      110,
    ],
  ] as const) {
    test(`lists at one request ${title}`, async (t) => {
      const { engine, stream } = await start(t);
      for (const number of outcomes.keys()) await acknowledge(engine, stream, 1, number);
      await complete(engine, stream, outcomes);
      assert.equal((await publish(engine, stream)).at(-1)?.number, last);
    });
  }

  test('ends the stream with the request that lists its last segment', async (t) => {
    const { engine, stream } = await start(t);
    await acknowledge(engine, stream, 1, 0);
    await requestEnd(engine.deps, stream, 'call');
    assert.equal((await engine.records.timeline(stream)).value.endedAtMs, undefined);
    await settle(engine, stream, 1, 0);
    const { value, version } = await engine.records.timeline(stream);
    assert.deepEqual([value.nextSequence, value.endedAtMs, version], [1, START_MS, 1]);
  });

  test('asks once for the end of the wait for a missing segment', async (t) => {
    const { engine, stream } = await start(t);
    for (const number of [0, 2]) await acknowledge(engine, stream, 1, number);
    await complete(engine, stream, ['rendered', undefined, 'rendered']);
    assert.equal((await publish(engine, stream)).length, 1);
    assert.equal((await engine.deps.queues.delayed.depth()).delayed, 1);
  });

  test('reports segments that waited for a missing one when it comes, and each once', async (t) => {
    const { engine, stream, delays, wait } = await start(t);
    for (const number of [0, 1, 2, 3]) {
      await acknowledge(engine, stream, 1, number);
      wait(4);
    }
    assert.deepEqual(delays(await settle(engine, stream, 1, 0)), [[0, 16]]);
    // The worker of segment 1 takes its time.
    assert.deepEqual(await settle(engine, stream, 1, 2), []);
    assert.deepEqual(await settle(engine, stream, 1, 3), []);
    wait(5);
    assert.deepEqual(delays(await settle(engine, stream, 1, 1)), [
      [1, 17],
      [2, 13],
      [3, 9],
    ]);
    for (const number of [0, 1, 2, 3]) {
      assert.deepEqual(await publish(engine, stream, { run: 1, number }), [], 'a repeated request');
    }
  });

  test('reports no gaps, and nothing that comes after its gap was published', async (t) => {
    const { engine, stream, delays, wait } = await start(t);
    for (const number of [0, 1, 2]) await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, 0);
    assert.deepEqual(await settle(engine, stream, 1, 2), []);
    // Longer than any worker is waited for; a delayed message asks then.
    wait(130);
    assert.deepEqual(delays(await publish(engine, stream)), [[2, 130]]);
    assert.deepEqual(await settle(engine, stream, 1, 1), []);
    assert.equal((await engine.records.timeline(stream)).value.nextSequence, 3);
  });

  test('records what came late though another publisher writes meanwhile, and once', async (t) => {
    const { engine, stream, wait } = await start(t);
    for (const number of [0, 1, 2, 3]) await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, 0);
    await settle(engine, stream, 1, 2);
    wait(130);
    await publish(engine, stream);
    const { store } = engine.deps;
    let races = 0;
    const raced: RecordStore = {
      get: (...at) => store.get(...at),
      query: (...at) => store.query(...at),
      write: async (writes) => {
        const isLate = writes.some(({ sort }) => sort.startsWith('late/'));
        if (isLate && races++ === 0) await settle(engine, stream, 1, 3);
        return store.write(writes);
      },
    };
    const outcome = (await engine.records.findOutcome(stream, 1, 2)) ?? assert.fail();
    await engine.records.recordOutcome(stream, { ...outcome, number: 1 });
    const request = { videoId: 'show', uid: stream.uid, completed: { run: 1, number: 1 } };
    const deps = { ...engine.deps, records: new StreamRecords(raced) };
    for (const time of ['at first', 'repeated'] as const) {
      await publishStream(deps, request);
      const late = await engine.records.lateArrivals(stream);
      assert.deepEqual([time, ...late.map(({ number }) => number)], [time, 1]);
      assert.equal((await engine.records.timeline(stream)).value.lateArrivals, 1);
    }
    assert.equal(races, 2);
  });

  test('reports to the function, which measures the delay of publishing', async (t) => {
    const { engine, stream, wait } = await start(t);
    for (const number of [0, 1, 2]) await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, 1);
    await settle(engine, stream, 1, 2);
    const outcome = (await engine.records.findOutcome(stream, 1, 2)) ?? assert.fail();
    await engine.records.recordOutcome(stream, { ...outcome, number: 0 });
    wait(3);
    const measured: [string, number][] = [];
    const milliseconds = (name: string, value: number) => void measured.push([name, value]);
    const handler = publishHandler(engine.deps, { milliseconds });
    // The same outcome, notified twice.
    const body = JSON.stringify({
      videoId: 'show',
      uid: stream.uid,
      completed: { run: 1, number: 0 },
    });
    const Records = ['m1', 'm2'].map((messageId) => ({ messageId, body })) as SQSEvent['Records'];
    assert.deepEqual(await handler({ Records }, {} as Context), { batchItemFailures: [] });
    assert.deepEqual(measured, Array(3).fill(['PublishDelay', 3000]));
  });
});
