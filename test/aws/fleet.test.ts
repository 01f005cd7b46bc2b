import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { DynamoStreamIndex } from '../../lib/aws/dynamo-stream-index.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { joinStandingFleet, standingFleet } from '../../lib/aws/standing-fleet.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { withMiniStack } from './ministack.ts';
import { makeService, makeTable } from './resources.ts';

await withMiniStack(async ({ connection: direct }) => {
  const proxy = await startFaultyProxy({ after }, direct.endpoint);
  const connection = { ...direct, endpoint: proxy.endpoint };
  const index = new DynamoStreamIndex(direct, await makeTable(direct));
  after(() => index.close());

  const startedAtMs = Date.now();
  const clock = { nowMs: startedAtMs, now: () => clock.nowMs };
  const updates = () => proxy.requests.filter(({ call }) => call === 'ecs.UpdateService').length;

  async function setUp(end: (close: () => void) => void) {
    const made = await makeService(direct);
    const open = (): EcsWorkerFleet => {
      const fleet = new EcsWorkerFleet(connection, { ...made, index, clock });
      end(() => fleet.close());
      return fleet;
    };
    end(() => made.close());
    proxy.requests.length = 0;
    return { made, open };
  }

  describe('the ECS worker fleet', () => {
    test('is started by one call, however many uploads race', async (t) => {
      const { made, open } = await setUp((close) => t.after(close));
      const fleets = Array.from({ length: 20 }, open);
      assert.equal(await fleets[0]?.running(), 0);
      await Promise.all(fleets.map((fleet) => fleet.ensure(1)));
      assert.equal(updates(), 1);
      assert.equal(await made.desiredCount(), 1);
      assert.equal(await fleets[1]?.running(), 1);
      await Promise.all(fleets.map((fleet) => fleet.ensure(1)));
      const calls = proxy.requests.filter(({ call }) => call === 'ecs.DescribeServices').length;
      assert.ok(calls <= 3, 'who knows that it was done asks no more');
    });

    test('grows and never shrinks; when it has shrunk by itself it starts anew', async (t) => {
      const { made, open } = await setUp((close) => t.after(close));
      const [one, other] = [open(), open()];
      await one.ensure(1);
      await other.ensure(4);
      assert.equal(await made.desiredCount(), 4);
      await one.ensure(2);
      clock.nowMs += 60_000;
      await one.ensure(2);
      assert.equal(await made.desiredCount(), 4);
      assert.equal(updates(), 2);
      await made.scaleTo(0);
      clock.nowMs += 60_000;
      await one.ensure(0);
      assert.equal(await made.desiredCount(), 0);
      await one.ensure(1);
      assert.equal(await made.desiredCount(), 1);
    });

    test('is tried again at once after a failure', async (t) => {
      const { made, open } = await setUp((close) => t.after(close));
      const body = JSON.stringify({ __type: 'AccessDeniedException', message: 'by the test' });
      proxy.failNext('ecs.UpdateService', { type: 'answer', status: 400, body });
      await assert.rejects(open().ensure(1), { name: 'AccessDeniedException' });
      assert.equal(await made.desiredCount(), 0);
      await open().ensure(1);
      assert.equal(await made.desiredCount(), 1);
    });

    test('that was never deployed is named', async (t) => {
      const { made } = await setUp((close) => t.after(close));
      const fleet = (where: Readonly<{ cluster: string; service: string }>) => {
        const opened = new EcsWorkerFleet(connection, { ...where, index, clock });
        t.after(() => opened.close());
        return opened;
      };
      const noService = fleet({ cluster: made.cluster, service: 'nobody' });
      await assert.rejects(noService.running(), /no active ECS service "nobody".*MISSING/);
      await assert.rejects(noService.ensure(1), /Deploy the workers/);
      const noCluster = fleet({ cluster: 'nowhere', service: 'nobody' });
      await assert.rejects(noCluster.ensure(1), /cluster "nowhere".*ClusterNotFoundException/);
    });
  });

  test('the standing fleet counts those who are there', async () => {
    const surroundings = { index, clock };
    const fleet = standingFleet(surroundings);
    const fail = (error: unknown) => assert.fail(String(error));
    assert.equal(await fleet.running(), 0);
    const worker = await joinStandingFleet(surroundings, 'one', fail);
    const dying = await joinStandingFleet(surroundings, 'two', fail);
    assert.equal(await fleet.running(), 2);
    await worker.leave();
    assert.equal(await fleet.running(), 1);
    clock.nowMs += 31_000;
    assert.equal(await fleet.running(), 0, 'one that no longer gives a sign is not counted');
    await dying.leave();
  });
});
