import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context, SQSEvent } from 'aws-lambda';
import { publishHandler } from '../../lambdas/queue/publish.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import type { ListedSegment } from '../../lib/pipeline/publish/publish.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const FAILED = 250;

test('more failed segments than one reading holds keep nobody waiting', async (t) => {
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
  const { value: head } = await engine.records.head(stream);
  assert.deepEqual([head.nextSequence, head.nextNumber], [1, FAILED + 1]);

  // A run that ends with failures is left when the last of its segments is settled, not before.
  for (let number = FAILED + 1; number < 2 * FAILED; number += 1) await fail(1, number);
  await acknowledge(engine, stream, 1, 2 * FAILED);
  await acknowledge(engine, stream, 2, 0);
  await settle(engine, stream, 2, 0);
  assert.equal((await engine.records.head(stream)).value.run, 1);
  await settle(engine, stream, 1, 2 * FAILED);
  await publish(engine, stream);
  const { value: end } = await engine.records.head(stream);
  assert.deepEqual([end.run, end.nextSequence], [2, 3]);
});

describe('a publisher tells what it has listed', () => {
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

  test('segments that waited behind a hole, when it heals, and each once', async (t) => {
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
    const lateArrivals = [
      [1, 17],
      [2, 13],
      [3, 9],
    ];
    assert.deepEqual(delays(await settle(engine, stream, 1, 1)), lateArrivals);
    for (const number of [0, 1, 2, 3]) {
      assert.deepEqual(await publish(engine, stream, { run: 1, number }), [], 'a repeated request');
    }
  });

  test('no gaps, and nothing that comes after its gap was made', async (t) => {
    const { engine, stream, delays, wait } = await start(t);
    for (const number of [0, 1, 2]) await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, 0);
    assert.deepEqual(await settle(engine, stream, 1, 2), []);
    // Longer than any worker is waited for; a timer asks then.
    wait(130);
    assert.deepEqual(delays(await publish(engine, stream)), [[2, 130]]);
    assert.deepEqual(await settle(engine, stream, 1, 1), []);
    assert.equal((await engine.records.head(stream)).value.nextSequence, 3);
  });

  test('to the function, which measures it', async (t) => {
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
    // The same outcome, announced twice.
    const body = JSON.stringify({
      videoId: 'show',
      uid: stream.uid,
      settled: { run: 1, number: 0 },
    });
    const Records = ['m1', 'm2'].map((messageId) => ({ messageId, body })) as SQSEvent['Records'];
    assert.deepEqual(await handler({ Records }, {} as Context), { batchItemFailures: [] });
    assert.deepEqual(measured, Array(3).fill(['PublishDelay', 3000]));
  });
});
