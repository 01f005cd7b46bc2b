import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { registerWorker, staticFleet } from '../../lib/aws/static-fleet.ts';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { scalingRequest } from '../../lib/pipeline/message-schemas.ts';
import { requestScaling, scaleWorkers } from '../../lib/pipeline/upkeep/scaling.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { withMiniStack } from './ministack.ts';
import { makeQueue, makeService, makeTable } from './resources.ts';

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
    const queue = async () => {
      const { url } = await makeQueue(direct, { grouped: false, maxDeliveries: 5 });
      return new SqsWorkQueue({ url, client, clock: { now: () => Date.now() } });
    };
    const table = await makeTable(direct);
    const [transcode, looks] = await Promise.all([queue(), queue()]);
    const store = new DynamoRecordStore(direct, table);
    t.after(() => {
      store.close();
      client.destroy();
    });
    const absent = {} as never;
    const queues = { transcode, looks, publish: absent, timers: absent, ingest: absent };
    const deps = { store, queues, clock, fleet: open() };
    return { made, deps, clock, transcode, looks };
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

    test('that was never deployed is named', async (t) => {
      const { made, open } = await setUp(t);
      const noService = open({ cluster: made.cluster, service: 'nobody' });
      await assert.rejects(noService.count(), /no active ECS service "nobody".*MISSING/);
      await assert.rejects(noService.scaleTo(1), /Deploy the workers/);
      const noCluster = open({ cluster: 'nowhere', service: 'nobody' });
      await assert.rejects(noCluster.count(), /cluster "nowhere".*ClusterNotFoundException/);
      await assert.rejects(noCluster.scaleTo(1), /cluster "nowhere".*NotFoundException/);
    });

    test('says what AWS says of any other refusal', async (t) => {
      const { open } = await setUp(t);
      proxy.failNext('ecs.UpdateService', refusal);
      await assert.rejects(open().scaleTo(1), { name: 'AccessDeniedException' });
    });

    test('is started by one call of ECS, however many looks race', async (t) => {
      const { made, deps } = await setUpScaling(t);
      const looks = Array.from({ length: 20 }, () => scaleWorkers(deps, LIMITS, {}));
      assert.deepEqual(
        (await Promise.all(looks)).filter((report) => report !== undefined),
        [],
        'nobody has queued a job',
      );
      assert.equal(callsOf('ecs.UpdateService'), 0);
      const reports = await Promise.all(
        Array.from({ length: 20 }, () => scaleWorkers(deps, LIMITS, { hasNewJob: true })),
      );
      assert.equal(reports.filter((report) => report !== undefined).length, 1);
      assert.equal(callsOf('ecs.UpdateService'), 1);
      assert.equal(await made.desiredCount(), 1);
    });

    test('goes from none to what the jobs need, and to none again', async (t) => {
      const { made, deps, clock, transcode, looks } = await setUpScaling(t);
      await transcode.send(Array.from({ length: 10 }, () => ({ body: 'job' })));
      await requestScaling(deps);
      const [called] = await looks.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
      assert.ok(called);
      await scaleWorkers(deps, LIMITS, scalingRequest.parse(JSON.parse(called.body)));
      assert.equal(await made.desiredCount(), 3);
      await requestScaling(deps);
      const { ready, delayed } = await looks.depth();
      assert.deepEqual([ready, delayed], [0, 1], 'the next look is on its way, so nobody calls');
      for (let left = 10; left > 0; ) {
        const jobs = await transcode.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
        await transcode.acknowledge(jobs.map(({ receipt }) => receipt));
        left -= jobs.length;
      }
      for (let look = 0; look < 32; look += 1) {
        clock.nowMs += 10_000;
        await scaleWorkers(deps, LIMITS, {});
      }
      assert.equal(await made.desiredCount(), 0);
      assert.equal(callsOf('ecs.UpdateService'), 2);
    });

    test('is set again when ECS refused, as soon as the message comes back', async (t) => {
      const { made, deps } = await setUpScaling(t);
      proxy.failNext('ecs.UpdateService', refusal);
      const look = () => scaleWorkers(deps, LIMITS, { hasNewJob: true });
      await assert.rejects(look(), { name: 'AccessDeniedException' });
      assert.equal(await made.desiredCount(), 0);
      await look();
      assert.equal(await made.desiredCount(), 1);
    });
  });

  test('the standing fleet counts those who are there, and nobody scales it', async (t) => {
    const store = new DynamoRecordStore(direct, await makeTable(direct));
    t.after(() => store.close());
    const clock = { nowMs: Date.now(), now: () => clock.nowMs };
    const surroundings = { store, clock };
    const fleet = staticFleet(surroundings);
    const fail = (error: unknown) => assert.fail(String(error));
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
    const worker = await registerWorker(surroundings, 'one', fail);
    const dying = await registerWorker(surroundings, 'two', fail);
    assert.deepEqual(await fleet.count(), { desired: 2, running: 2 });
    await worker.leave();
    assert.deepEqual(await fleet.count(), { desired: 1, running: 1 });
    clock.nowMs += 31_000;
    const { running } = await fleet.count();
    assert.equal(running, 0, 'one that no longer gives a sign is not counted');
    assert.equal(fleet.scaleTo, undefined);
    await dying.leave();
  });
});
