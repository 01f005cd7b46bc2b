import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { registerWorker, staticFleet } from '../../lib/aws/static-fleet.ts';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { type ScalingRequest, scalingRequest } from '../../lib/pipeline/message-schemas.ts';
import { requestScaling, scaleWorkers } from '../../lib/pipeline/upkeep/scaling.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { withMiniStack } from './ministack.ts';
import { makeAllQueues, makeService, makeTable } from './resources.ts';

const LIMITS: ScalingLimits = {
  min: 0,
  max: 10,
  jobsPerWorker: 2,
  secondsPerJob: 4,
  idleMs: 300_000,
};

await withMiniStack(async ({ connection: direct }) => {
  const proxy = await startFaultyProxy({ after }, direct.endpoint);
  const connection = { ...direct, endpoint: proxy.endpoint };
  const callsOf = (name: string) => proxy.requests.filter(({ call }) => call === name).length;
  const refusal = {
    type: 'answer',
    status: 400,
    body: JSON.stringify({ __type: 'AccessDeniedException', message: 'by the test' }),
  } as const;

  async function setUp(t: TestContext) {
    const made = await makeService(direct);
    t.after(() => made.close());
    proxy.requests.length = 0;
    const open = (where: Readonly<{ cluster: string; service: string }> = made): EcsWorkerFleet => {
      const fleet = new EcsWorkerFleet(connection, where);
      t.after(() => fleet.close());
      return fleet;
    };
    return { made, open };
  }

  /** What decides about the fleet: its tables and queues are new, its clock is set by the test. */
  async function setUpScaling(t: TestContext) {
    const { made, open } = await setUp(t);
    const client = sqsClient(direct);
    const clock = { nowMs: Date.now(), now: () => clock.nowMs };
    const [{ urls }, table] = await Promise.all([makeAllQueues(direct), makeTable(direct)]);
    const store = new DynamoRecordStore(direct, table);
    t.after(() => {
      store.close();
      client.destroy();
    });
    const real = { now: () => Date.now() };
    const queues = forEachQueue(
      (name, { groups }) => new SqsWorkQueue({ url: urls[name], client, clock: real, groups }),
    );
    const deps = { store, queues, clock, fleet: open() };
    const evaluate = (request: ScalingRequest) => scaleWorkers(deps, JOBS, LIMITS, request);
    return { made, deps, clock, queues, evaluate };
  }

  describe('the ECS worker fleet', () => {
    test('counts the tasks of its service and sets how many there are to be', async (t) => {
      const { made, open } = await setUp(t);
      const fleet = open();
      assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
      await fleet.scaleTo(3);
      assert.equal(await made.desiredCount(), 3);
      assert.equal((await open().count()).desired, 3);
      await fleet.scaleTo(0);
      assert.equal(await made.desiredCount(), 0);
      assert.equal((await fleet.count()).desired, 0);
    });

    test('names a service that was never deployed', async (t) => {
      const { made, open } = await setUp(t);
      const noService = open({ cluster: made.cluster, service: 'nobody' });
      await assert.rejects(noService.count(), /no active ECS service "nobody".*MISSING/);
      await assert.rejects(noService.scaleTo(1), /Deploy the workers/);
      const noCluster = open({ cluster: 'nowhere', service: 'nobody' });
      await assert.rejects(noCluster.count(), /cluster "nowhere".*ClusterNotFoundException/);
      await assert.rejects(noCluster.scaleTo(1), /cluster "nowhere".*NotFoundException/);
    });

    test('passes on any other refusal of AWS', async (t) => {
      const { open } = await setUp(t);
      proxy.failNext('ecs.UpdateService', refusal);
      await assert.rejects(open().scaleTo(1), { name: 'AccessDeniedException' });
    });

    test('is started by one call of ECS, however many evaluations race', async (t) => {
      const { made, evaluate } = await setUpScaling(t);
      const race = (request: ScalingRequest) =>
        Promise.all(Array.from({ length: 20 }, () => evaluate(request)));
      assert.deepEqual(
        (await race({})).filter((report) => report !== undefined),
        [],
        'no job was queued',
      );
      assert.equal(callsOf('ecs.UpdateService'), 0);
      const reports = await race({ hasNewJob: true });
      assert.equal(reports.filter((report) => report !== undefined).length, 1);
      assert.equal(callsOf('ecs.UpdateService'), 1);
      assert.equal(await made.desiredCount(), 1);
    });

    test('goes from none to what the jobs need, and to none again', async (t) => {
      const { made, deps, clock, queues, evaluate } = await setUpScaling(t);
      const { liveJobs, scaling } = queues;
      const group = 'stream';
      await liveJobs.send(Array.from({ length: 10 }, () => ({ body: 'job', group })));
      await requestScaling(deps);
      const [request] = await scaling.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
      assert.ok(request);
      await evaluate(scalingRequest.parse(JSON.parse(request.body)));
      assert.equal(await made.desiredCount(), 3);
      await requestScaling(deps);
      const { ready, delayed } = await scaling.depth();
      assert.deepEqual([ready, delayed], [0, 1], 'no second request while one is on its way');
      for (let left = 10; left > 0; ) {
        const jobs = await liveJobs.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
        await liveJobs.acknowledge(jobs.map(({ receipt }) => receipt));
        left -= jobs.length;
      }
      for (let evaluation = 0; evaluation < 32; evaluation += 1) {
        clock.nowMs += 10_000;
        await evaluate({});
      }
      assert.equal(await made.desiredCount(), 0);
      assert.equal(callsOf('ecs.UpdateService'), 2);
    });

    test('is set again after a refusal of ECS, as soon as the message comes back', async (t) => {
      const { made, evaluate } = await setUpScaling(t);
      proxy.failNext('ecs.UpdateService', refusal);
      await assert.rejects(evaluate({ hasNewJob: true }), { name: 'AccessDeniedException' });
      assert.equal(await made.desiredCount(), 0);
      await evaluate({ hasNewJob: true });
      assert.equal(await made.desiredCount(), 1);
    });
  });

  test('a static fleet counts the workers that are registered, and cannot be scaled', async (t) => {
    const store = new DynamoRecordStore(direct, await makeTable(direct));
    t.after(() => store.close());
    const clock = { nowMs: Date.now(), now: () => clock.nowMs };
    const deps = { store, clock };
    const fleet = staticFleet(deps);
    const fail = (error: unknown) => assert.fail(String(error));
    assert.equal(fleet.type, 'static');
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
    const worker = await registerWorker(deps, 'one', fail);
    const dying = await registerWorker(deps, 'two', fail);
    assert.deepEqual(await fleet.count(), { desired: 2, running: 2 });
    await worker.leave();
    assert.deepEqual(await fleet.count(), { desired: 1, running: 1 });
    for (const [ms, why] of [
      [31_000, 'its heartbeat is too old'],
      [-62_000, 'it is from before the clock was set back'],
    ] as const) {
      clock.nowMs += ms;
      assert.equal((await fleet.count()).running, 0, why);
    }
    await dying.leave();
  });
});
