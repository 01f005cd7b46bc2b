import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { type ScalingRequest, scalingRequest } from '../../lib/pipeline/message-schemas.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import {
  type FleetReport,
  requestScaling,
  resumeScaling,
  scaleWorkers,
} from '../../lib/pipeline/upkeep/scaling.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

const LIMITS: ScalingLimits = {
  min: 0,
  max: 20,
  jobsPerWorker: 2,
  secondsPerJob: 4,
  idleMs: 300_000,
};

async function setUp(t: TestContext) {
  const fleet = {
    type: 'scalable' as const,
    desired: 0,
    running: 0,
    calls: [] as number[],
    failures: 0,
    count: async () => ({ desired: fleet.desired, running: fleet.running }),
    async scaleTo(count: number) {
      if (fleet.failures > 0) {
        fleet.failures -= 1;
        throw new Error('throttled');
      }
      fleet.calls.push(count);
      fleet.desired = count;
    },
  };
  const { deps, clock } = await testEngine(t, { fleet });
  const { liveJobs, scaling } = deps.queues;
  const look = (request: ScalingRequest = {}): Promise<FleetReport | undefined> =>
    scaleWorkers(deps, JOBS, LIMITS, request);
  /** Carries out what is due on the queue of scaling, as its poller does. */
  const carryOut = async (): Promise<number> => {
    const due = await scaling.receive({ max: 10, waitMs: 0, leaseMs: 30_000 });
    for (const { body, receipt } of due) {
      await look(scalingRequest.parse(JSON.parse(body)));
      await scaling.acknowledge([receipt]);
    }
    return due.length;
  };
  const queueJobs = (count: number) =>
    liveJobs.send(Array.from({ length: count }, () => ({ body: 'job', group: 'u' })));
  const doJobs = async (): Promise<void> => {
    const jobs = await liveJobs.receive({ max: 100, waitMs: 0, leaseMs: 1000 });
    await liveJobs.acknowledge(jobs.map(({ receipt }) => receipt));
  };
  return { deps, clock, fleet, look, carryOut, scaling, queueJobs, doJobs };
}

describe('scaling evaluation', () => {
  test('an evaluation of an idle system changes nothing, reports nothing and requests no other', async (t) => {
    const { look, fleet, scaling } = await setUp(t);
    assert.equal(await look(), undefined);
    assert.deepEqual(fleet.calls, []);
    assert.deepEqual(await scaling.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('an evaluation starts the workers that the jobs need, once, however many request it', async (t) => {
    const { look, fleet, scaling, queueJobs } = await setUp(t);
    await queueJobs(40);
    const reports = await Promise.all(Array.from({ length: 5 }, () => look({ hasNewJob: true })));
    await look();
    await look({ hasNewJob: true });
    assert.deepEqual(fleet.calls, [11]);
    assert.deepEqual(
      reports.filter((report) => report !== undefined),
      [{ desired: 11, running: 0, backlog: 40 }],
    );
    assert.deepEqual(await scaling.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });

  test('an evaluation starts a worker for a job that its queue does not count yet', async (t) => {
    const { look, fleet } = await setUp(t);
    await look({ hasNewJob: true });
    assert.deepEqual(fleet.calls, [1]);
  });

  test('an evaluation starts a worker for back-fill alone, and keeps it while it works', async (t) => {
    const { deps, look, clock, fleet } = await setUp(t);
    await deps.queues.backfillJobs.send([{ body: 'job', group: 'u' }]);
    assert.deepEqual(await look(), { desired: 1, running: 0, backlog: 1 });
    await deps.queues.backfillJobs.receive({ max: 1, waitMs: 0, leaseMs: 2 * LIMITS.idleMs });
    clock.nowMs += LIMITS.idleMs;
    assert.deepEqual(await look(), { desired: 1, running: 0, backlog: 0 });
    assert.deepEqual(fleet.calls, [1]);
  });

  test('evaluations go on every ten seconds until the workers are gone again', async (t) => {
    const { carryOut, clock, fleet, scaling, queueJobs, doJobs, deps } = await setUp(t);
    await queueJobs(4);
    await requestScaling(deps);
    let rounds = 0;
    for (; (await carryOut()) > 0; rounds += 1) {
      fleet.running = fleet.desired;
      await doJobs();
      clock.nowMs += 10_000;
    }
    assert.equal(fleet.calls[0], 2);
    assert.equal(fleet.calls.at(-1), 0);
    // Five minutes of idling in tens of seconds, and one more look after the change.
    assert.ok(rounds >= 31 && rounds <= 33, `${rounds}`);
    assert.deepEqual(await scaling.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('an evaluation that failed is repeated as soon as its message comes back', async (t) => {
    const { look, fleet, scaling, queueJobs } = await setUp(t);
    await queueJobs(4);
    fleet.failures = 1;
    await assert.rejects(look({ hasNewJob: true }), /throttled/);
    assert.equal((await scaling.depth()).delayed, 0);
    await look({ hasNewJob: true });
    assert.equal(fleet.calls.length, 1);
    assert.equal((await scaling.depth()).delayed, 1);
  });

  test('a static fleet is left alone', async (t) => {
    const { deps } = await testEngine(t, {
      fleet: { type: 'static', count: () => assert.fail('it is not needed') },
    });
    assert.equal(await scaleWorkers(deps, JOBS, LIMITS, { hasNewJob: true }), undefined);
  });
});

describe('scaling request', () => {
  test('many jobs request one evaluation while evaluations go on', async (t) => {
    const { deps, carryOut, clock, scaling, queueJobs } = await setUp(t);
    await queueJobs(1);
    await requestScaling(deps);
    assert.equal(await carryOut(), 1);
    for (let second = 0; second < 9; second += 1) {
      await requestScaling(deps);
      clock.nowMs += 1000;
    }
    assert.deepEqual(await scaling.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });

  test('a request brings a worker back at once when the last one has just been stopped', async (t) => {
    const { deps, look, carryOut, clock, fleet } = await setUp(t);
    await look({ hasNewJob: true });
    clock.nowMs += LIMITS.idleMs;
    await look();
    assert.deepEqual(fleet.calls, [1, 0]);
    clock.nowMs += 1000;
    await requestScaling(deps);
    await carryOut();
    assert.deepEqual(fleet.calls, [1, 0, 1]);
  });

  test('a request is sent again when the evaluation that was due has been lost', async (t) => {
    const { deps, carryOut, clock, scaling, queueJobs } = await setUp(t);
    await queueJobs(1);
    await requestScaling(deps);
    await carryOut();
    clock.nowMs += 10_000;
    const lost = await scaling.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    assert.equal(lost.length, 1);
    await scaling.acknowledge(lost.map(({ receipt }) => receipt));
    await requestScaling(deps);
    assert.equal(await carryOut(), 0, 'it may only be late');
    clock.nowMs += 10_001;
    await requestScaling(deps);
    assert.equal(await carryOut(), 1);
    assert.equal((await scaling.depth()).delayed, 1, 'and scaling go on');
  });

  test('any number of requests leads to one chain of evaluations', async (t) => {
    const { deps, carryOut, clock, scaling, queueJobs } = await setUp(t);
    await queueJobs(1);
    for (let call = 0; call < 7; call += 1) await requestScaling(deps);
    await scaling.send([
      { body: '{}', delayMs: 3000 },
      { body: '{}', delayMs: 9999 },
    ]);
    for (let second = 0; second < 60; second += 1) {
      clock.nowMs += 1000;
      await carryOut();
    }
    assert.deepEqual(await scaling.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });
});

describe('queueing a job', () => {
  /** One segment of a stream, and what its upload has sent. */
  async function upload(t: TestContext) {
    const engine = await testEngine(t);
    const { deps, records } = engine;
    await records.createStream(newStream('show', START_MS));
    const { segments } = await makeSegments({ seconds: 2, size: '160x90', hlsTime: 2 });
    const bytes = segments[0]?.bytes ?? assert.fail('no segment');
    const send = async () => {
      const found = (await records.findStream('show')) ?? assert.fail('no stream');
      return uploadSegment(deps, found, { number: 0, bytes, pushed: false });
    };
    await send();
    const taken = async (name: 'liveJobs' | 'scaling'): Promise<unknown[]> => {
      const queue = deps.queues[name];
      const messages = await queue.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
      await queue.acknowledge(messages.map(({ receipt }) => receipt));
      return messages.map(({ body }) => JSON.parse(body));
    };
    return { ...engine, send, taken };
  }

  test('an upload requests scaling, and so does its repetition when the job was lost', async (t) => {
    const { send, taken, clock } = await upload(t);
    for (const isNew of [false, undefined]) {
      assert.equal((await taken('liveJobs')).length, 1);
      assert.deepEqual(await taken('scaling'), [{ hasNewJob: true }]);
      clock.nowMs += 5_000;
      if (isNew !== undefined) assert.equal((await send()).isNew, isNew);
    }
  });

  test('a lost job that housekeeping queues again requests scaling as well', async (t) => {
    const { deps, clock, records, taken } = await upload(t);
    const lost = await taken('liveJobs');
    await taken('scaling');
    const { uid } = (await records.findStream('show'))?.value ?? assert.fail('no stream');
    const watch = () => onDelayedMessage(deps, { type: 'housekeeping', videoId: 'show', uid });
    await watch();
    assert.deepEqual([await taken('liveJobs'), await taken('scaling')], [[], []], 'not yet');
    clock.nowMs += 60_000;
    await watch();
    assert.deepEqual(await taken('liveJobs'), lost);
    assert.deepEqual(await taken('scaling'), [{ hasNewJob: true }]);
  });
});

test('an engine that restarts evaluates scaling at once, whatever it knew of workers before', async (t) => {
  const { deps, carryOut, clock, fleet, look, scaling, queueJobs } = await setUp(t);
  await queueJobs(4);
  await look();
  assert.deepEqual(fleet.calls, [2]);
  Object.assign(fleet, { desired: 0, running: 0, calls: [] });
  clock.nowMs += 1000;
  await resumeScaling(deps);
  await carryOut();
  assert.deepEqual(fleet.calls, [2]);
  for (let second = 0; second < 30; second += 1) {
    clock.nowMs += 1000;
    await carryOut();
  }
  assert.equal((await scaling.depth()).delayed, 1, 'the look of the last life adds none');
});
