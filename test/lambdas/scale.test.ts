import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { type ScaleDeps, scaleWorkers } from '../../lambdas/scale.ts';
import type { Item, StreamIndex, Write } from '../../lib/pipeline/ports.ts';
import { type MemoryQueue, memoryQueue } from './memory-queue.ts';

/** One item is all that the decision keeps. */
function oneItemIndex(): StreamIndex & { item: Item | undefined } {
  return {
    item: undefined,
    async get() {
      return this.item;
    },
    query: async () => [],
    async write([write]: readonly Write[]) {
      assert.ok(write?.type === 'put');
      const version = this.item?.version ?? 0;
      if (write.expect !== version) return false;
      this.item = { sort: write.sort, version: version + 1, value: write.value };
      return true;
    },
  };
}

describe('a look at the workers', () => {
  let nowMs = 0;
  let transcode: MemoryQueue;
  let looks: MemoryQueue;
  let index: ReturnType<typeof oneItemIndex>;
  let service: { desired: number; running: number; calls: number[] };
  let deps: ScaleDeps;

  beforeEach(() => {
    nowMs = 1_000_000;
    transcode = memoryQueue();
    looks = memoryQueue();
    index = oneItemIndex();
    service = { desired: 0, running: 0, calls: [] };
    deps = {
      index,
      transcode,
      looks,
      service: {
        count: async () => service,
        async setDesired(count) {
          service.calls.push(count);
          service.desired = count;
        },
      },
      limits: { min: 0, max: 20, jobsPerWorker: 2, secondsPerJob: 4, idleMs: 300_000 },
      clock: { now: () => nowMs },
      measure: { count: () => {}, milliseconds: () => {} },
    };
  });

  test('of an idle deployment changes nothing and calls for no other', async () => {
    await scaleWorkers(deps);
    assert.deepEqual([service.calls, looks.sent], [[], []]);
  });

  test('starts what the jobs need, once, however many call for it', async () => {
    transcode.counts = { ready: 30, inFlight: 0, delayed: 10 };
    await Promise.all(Array.from({ length: 5 }, () => scaleWorkers(deps)));
    await scaleWorkers(deps);
    assert.deepEqual(service.calls, [11]);
    assert.deepEqual(looks.sent, [{ body: '{}', delayMs: 10_000 }]);
  });

  test('goes on every ten seconds until the workers are gone again', async () => {
    transcode.counts = { ready: 4, inFlight: 0, delayed: 0 };
    for (let round = 0; round < 200; round += 1) {
      const before = looks.sent.length;
      await scaleWorkers(deps);
      if (looks.sent.length === before) break;
      transcode.counts = { ready: 0, inFlight: 0, delayed: 0 };
      service.running = service.desired;
      nowMs += 10_000;
    }
    assert.equal(service.desired, 0);
    assert.equal(service.calls.at(-1), 0);
    // Five minutes of idling in tens of seconds, and one more look after the change.
    assert.ok(looks.sent.length >= 30 && looks.sent.length <= 33, `${looks.sent.length}`);
  });

  test('is made again when ECS has failed, though its message was seen before', async () => {
    transcode.counts = { ready: 4, inFlight: 0, delayed: 0 };
    const failing = { ...deps.service, setDesired: () => Promise.reject(new Error('throttled')) };
    await assert.rejects(scaleWorkers({ ...deps, service: failing }), /throttled/);
    assert.deepEqual(looks.sent, []);
    // The message comes back after its lease of twenty seconds.
    nowMs += 20_000;
    await scaleWorkers(deps);
    assert.equal(service.calls.length, 1);
    assert.equal(looks.sent.length, 1);
  });
});
