import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
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
  const { transcode, looks } = deps.queues;
  const look = (request: ScalingRequest = {}): Promise<FleetReport | undefined> =>
    scaleWorkers(deps, LIMITS, request);
  /** Carries out what is due on the queue of looks, as its poller does. */
  const carryOut = async (): Promise<number> => {
    const due = await looks.receive({ max: 10, waitMs: 0, leaseMs: 30_000 });
    for (const { body, receipt } of due) {
      await look(scalingRequest.parse(JSON.parse(body)));
      await looks.acknowledge([receipt]);
    }
    return due.length;
  };
  const queueJobs = (count: number) =>
    transcode.send(Array.from({ length: count }, () => ({ body: 'job' })));
  const doJobs = async (): Promise<void> => {
    const jobs = await transcode.receive({ max: 100, waitMs: 0, leaseMs: 1000 });
    await transcode.acknowledge(jobs.map(({ receipt }) => receipt));
  };
  return { deps, clock, fleet, look, carryOut, looks, queueJobs, doJobs };
}

describe('a look at the workers', () => {
  test('where nothing is to be done changes nothing, tells nothing and calls for no other', async (t) => {
    const { look, fleet, looks } = await setUp(t);
    assert.equal(await look(), undefined);
    assert.deepEqual(fleet.calls, []);
    assert.deepEqual(await looks.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('starts what the jobs need, once, however many call for it', async (t) => {
    const { look, fleet, looks, queueJobs } = await setUp(t);
    await queueJobs(40);
    const reports = await Promise.all(Array.from({ length: 5 }, () => look({ hasNewJob: true })));
    await look();
    await look({ hasNewJob: true });
    assert.deepEqual(fleet.calls, [11]);
    assert.deepEqual(
      reports.filter((report) => report !== undefined),
      [{ desired: 11, running: 0, backlog: 40 }],
    );
    assert.deepEqual(await looks.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });

  test('starts a worker for a job that its queue does not count yet', async (t) => {
    const { look, fleet } = await setUp(t);
    await look({ hasNewJob: true });
    assert.deepEqual(fleet.calls, [1]);
  });

  test('goes on every ten seconds until the workers are gone again', async (t) => {
    const { carryOut, clock, fleet, looks, queueJobs, doJobs, deps } = await setUp(t);
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
    assert.deepEqual(await looks.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('that failed is made again at once, whenever its message comes back', async (t) => {
    const { look, fleet, looks, queueJobs } = await setUp(t);
    await queueJobs(4);
    fleet.failures = 1;
    await assert.rejects(look({ hasNewJob: true }), /throttled/);
    assert.equal((await looks.depth()).delayed, 0);
    await look({ hasNewJob: true });
    assert.equal(fleet.calls.length, 1);
    assert.equal((await looks.depth()).delayed, 1);
  });

  test('leaves workers alone that are started by hand', async (t) => {
    const { deps } = await testEngine(t, {
      fleet: { count: () => assert.fail('nobody needs to know') },
    });
    assert.equal(await scaleWorkers(deps, LIMITS, { hasNewJob: true }), undefined);
  });
});

describe('a call for a look', () => {
  test('is made once for many jobs, while looks go on', async (t) => {
    const { deps, carryOut, clock, looks, queueJobs } = await setUp(t);
    await queueJobs(1);
    await requestScaling(deps);
    assert.equal(await carryOut(), 1);
    for (let second = 0; second < 9; second += 1) {
      await requestScaling(deps);
      clock.nowMs += 1000;
    }
    assert.deepEqual(await looks.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });

  test('brings a worker back at once when the last one has just been sent away', async (t) => {
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

  test('is made again when the look that was to come has been lost', async (t) => {
    const { deps, carryOut, clock, looks, queueJobs } = await setUp(t);
    await queueJobs(1);
    await requestScaling(deps);
    await carryOut();
    clock.nowMs += 10_000;
    const lost = await looks.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    assert.equal(lost.length, 1);
    await looks.acknowledge(lost.map(({ receipt }) => receipt));
    await requestScaling(deps);
    assert.equal(await carryOut(), 0, 'it may only be late');
    clock.nowMs += 10_001;
    await requestScaling(deps);
    assert.equal(await carryOut(), 1);
    assert.equal((await looks.depth()).delayed, 1, 'and looks go on');
  });

  test('leads to one chain of looks, however many chains there were', async (t) => {
    const { deps, carryOut, clock, looks, queueJobs } = await setUp(t);
    await queueJobs(1);
    for (let call = 0; call < 7; call += 1) await requestScaling(deps);
    await looks.send([
      { body: '{}', delayMs: 3000 },
      { body: '{}', delayMs: 9999 },
    ]);
    for (let second = 0; second < 60; second += 1) {
      clock.nowMs += 1000;
      await carryOut();
    }
    assert.deepEqual(await looks.depth(), { ready: 0, inFlight: 0, delayed: 1 });
  });
});

describe('a job that is queued', () => {
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
    const taken = async (name: 'transcode' | 'looks'): Promise<unknown[]> => {
      const queue = deps.queues[name];
      const messages = await queue.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
      await queue.acknowledge(messages.map(({ receipt }) => receipt));
      return messages.map(({ body }) => JSON.parse(body));
    };
    return { ...engine, send, taken };
  }

  test('by an upload, or by its repetition, calls for a look', async (t) => {
    const { send, taken } = await upload(t);
    for (const isNew of [false, undefined]) {
      assert.equal((await taken('transcode')).length, 1);
      assert.deepEqual(await taken('looks'), [{ hasNewJob: true }]);
      if (isNew !== undefined) assert.equal((await send()).isNew, isNew);
    }
  });

  test('anew, because it was lost, calls for one as well', async (t) => {
    const { deps, clock, records, taken } = await upload(t);
    const lost = await taken('transcode');
    await taken('looks');
    const { uid } = (await records.findStream('show'))?.value ?? assert.fail('no stream');
    const watch = () => onDelayedMessage(deps, { type: 'watch', videoId: 'show', uid });
    await watch();
    assert.deepEqual([await taken('transcode'), await taken('looks')], [[], []], 'not yet');
    clock.nowMs += 60_000;
    await watch();
    assert.deepEqual(await taken('transcode'), lost);
    assert.deepEqual(await taken('looks'), [{ hasNewJob: true }]);
  });
});

test('an engine that starts anew looks at once, whatever its last life knew of workers', async (t) => {
  const { deps, carryOut, clock, fleet, look, looks, queueJobs } = await setUp(t);
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
  assert.equal((await looks.depth()).delayed, 1, 'the look of the last life adds none');
});
