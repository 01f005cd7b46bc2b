import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newStream } from '../../lib/pipeline/access.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const FAILED = 250;

test('more failed segments than one reading holds keep nobody waiting', async (t) => {
  const engine = await testEngine(t);
  const stream = newStream('show', START_MS);
  await engine.records.createStream(stream);
  const fail = async (run: number, number: number) => {
    await acknowledge(engine, stream, run, number);
    const settledAtMs = engine.clock.nowMs;
    const failure = { type: 'failed' as const, run, number, reason: 'undecodable', settledAtMs };
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
