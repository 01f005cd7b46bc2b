import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { WorkerLoop } from '../../lib/pipeline/jobs/worker-loop.ts';
import { testEngine } from '../support/engine.ts';
import { waitFor } from '../support/system.ts';

describe('a worker’s loop', () => {
  test('does several jobs at once, no more than it may, and says which runs alone', async (t) => {
    const { deps } = await testEngine(t, { realTime: true });
    const { transcode } = deps.queues;
    await transcode.send(['a', 'b', 'c'].map((body) => ({ body })));
    const gates = new Map<string, () => void>();
    const alone: Record<string, boolean> = {};
    let most = 0;
    const loop = new WorkerLoop({
      queue: transcode,
      concurrency: 2,
      report: (error) => assert.fail(String(error)),
      run: async (job) => {
        alone[job.body] = job.alone;
        await new Promise<void>((resolve) => {
          gates.set(job.body, resolve);
          most = Math.max(most, gates.size);
        });
        gates.delete(job.body);
      },
    });
    await waitFor('two jobs', async () => gates.size === 2);
    gates.get('a')?.();
    await waitFor('the third', async () => gates.has('c'));
    for (const release of gates.values()) release();
    await waitFor('all done', async () => (await transcode.depth()).inFlight === 0);
    await transcode.send([{ body: 'd' }]);
    await waitFor('the last', async () => gates.has('d'));
    gates.get('d')?.();
    await loop.stop(1000);
    assert.equal(most, 2);
    assert.deepEqual([alone.a, alone.d], [false, true]);
    assert.deepEqual(await transcode.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('gives back a job that fails, and those that a stop cuts short', async (t) => {
    const { deps } = await testEngine(t, { realTime: true });
    const { transcode } = deps.queues;
    await transcode.send([{ body: 'fails' }, { body: 'long' }]);
    const reported: string[] = [];
    let cut = false;
    let started = false;
    const loop = new WorkerLoop({
      queue: transcode,
      concurrency: 2,
      report: (_, what) => reported.push(what),
      run: async ({ body, signal }) => {
        if (body === 'fails') throw new Error('broken');
        started = true;
        await once(signal, 'abort');
        cut = true;
        throw signal.reason;
      },
    });
    await waitFor('the failure', async () => reported.length === 1 && started);
    await loop.stop(50);
    assert.equal(cut, true);
    assert.deepEqual(reported, ['fails'], 'what was cut short is no failure');
    const { ready, delayed, inFlight } = await transcode.depth();
    assert.deepEqual([ready + delayed, inFlight], [2, 0]);
    const [again] = await transcode.receive({ max: 1, waitMs: 0, leaseMs: 1000 });
    assert.equal(again?.body, 'long', 'at once, while the failed one waits a while');
  });
});
