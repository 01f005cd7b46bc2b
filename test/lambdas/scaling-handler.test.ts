import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context, SQSEvent } from 'aws-lambda';
import { scalingHandler } from '../../lambdas/queue/scaling.ts';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { testEngine } from '../support/engine.ts';

const LIMITS: ScalingLimits = {
  min: 0,
  max: 2,
  jobsPerWorker: 2,
  secondsPerJob: 4,
  idleMs: 300_000,
};

const eventOf = (...bodies: string[]): SQSEvent =>
  ({ Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) }) as SQSEvent;

test('scaling handler: an evaluation is measured while there is work, once for all requests', async (t) => {
  const calls: number[] = [];
  const { deps } = await testEngine(t, {
    fleet: {
      type: 'scalable',
      count: async () => ({ desired: calls.at(-1) ?? 0, running: 0 }),
      scaleTo: async (count) => void calls.push(count),
    },
  });
  const measured: [string, number][] = [];
  const measure = { count: (name: string, value: number) => void measured.push([name, value]) };
  const handler = scalingHandler(deps, LIMITS, measure);
  const carryOut = async (...bodies: string[]) => handler(eventOf(...bodies), {} as Context);
  await carryOut('{}');
  assert.deepEqual([measured, calls], [[], []]);
  await deps.queues.liveJobs.send(Array.from({ length: 9 }, () => ({ body: 'job', group: 'u' })));
  await carryOut('{"hasNewJob":true}', '{}', '{"hasNewJob":true}');
  assert.deepEqual(calls, [2]);
  assert.deepEqual(measured, [
    ['WorkersDesired', 2],
    ['WorkersRunning', 0],
    ['JobsWaiting', 9],
  ]);
});
