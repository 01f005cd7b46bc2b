import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type JobRun, WorkerLoop } from '../../lib/pipeline/jobs/worker-loop.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { testEngine } from '../support/engine.ts';
import { waitFor } from '../support/system.ts';

const jobs = (...bodies: readonly string[]) => bodies.map((body) => ({ body, group: 'u' }));
const jobsOf = (group: string, ...bodies: readonly string[]) =>
  bodies.map((body) => ({ body, group }));

/** Jobs that run until the test releases or aborts them. */
function gatedJobs() {
  const gates = new Map<string, () => void>();
  const started: JobRun[] = [];
  const run = async (job: JobRun) => {
    started.push(job);
    const done = new Promise<void>((resolve) => gates.set(job.body, resolve));
    await Promise.race([done, aborted(job.signal)]);
    gates.delete(job.body);
  };
  const isRunning = (body: string) => waitFor(body, async () => gates.has(body));
  return { gates, started, run, isRunning, bodies: () => started.map(({ body }) => body) };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );

async function setUp(t: TestContext) {
  const loops: WorkerLoop[] = [];
  // Before the engine closes.
  t.after(() => Promise.all(loops.map((loop) => loop.stop(0))));
  const { deps } = await testEngine(t, { realTime: true });
  const start = (options: Partial<ConstructorParameters<typeof WorkerLoop>[0]>) => {
    const loop = new WorkerLoop({
      queues: [deps.queues.liveJobs],
      concurrency: 1,
      run: async () => {},
      report: (error) => assert.fail(String(error)),
      ...options,
    });
    loops.push(loop);
    return loop;
  };
  return { ...deps.queues, start };
}

describe('worker loop', () => {
  test('a worker does as many jobs at once as it may, and a job that is alone has all cores', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await liveJobs.send(jobs('a', 'b', 'c'));
    start({ concurrency: 2, run: gated.run });
    await gated.isRunning('b');
    assert.deepEqual(gated.bodies(), ['a', 'b']);
    gated.gates.get('a')?.();
    await gated.isRunning('c');
    for (const release of gated.gates.values()) release();
    await waitFor('all done', async () => (await liveJobs.depth()).inFlight === 0);
    for (const lone of ['d', 'e']) {
      await liveJobs.send(jobs(lone));
      await gated.isRunning(lone);
      gated.gates.get(lone)?.();
      await waitFor('done', async () => (await liveJobs.depth()).inFlight === 0);
    }
    assert.deepEqual(
      gated.started.map(({ body, exclusive }) => [body, exclusive]),
      [
        ['a', false],
        ['b', false],
        ['c', false],
        ['d', true],
        ['e', true],
      ],
    );
    assert.deepEqual(await liveJobs.depth(), { ready: 0, inFlight: 0, delayed: 0 });
  });

  test('a job that fails is given back for later, and one that a stop cuts short at once', async (t) => {
    const { liveJobs, start } = await setUp(t);
    await liveJobs.send(jobs('fails', 'long'));
    const reported: string[] = [];
    let started = false;
    const loop = start({
      concurrency: 2,
      report: (_, what) => reported.push(what),
      run: async ({ body, signal }) => {
        if (body === 'fails') throw new Error('broken');
        started = true;
        await once(signal, 'abort');
        throw signal.reason;
      },
    });
    await waitFor('the failure', async () => reported.length === 1 && started);
    await loop.stop(0);
    assert.deepEqual(reported, ['fails'], 'what was cut short is no failure');
    const { ready, delayed, inFlight } = await liveJobs.depth();
    assert.deepEqual([ready + delayed, inFlight], [2, 0]);
    const [again] = await liveJobs.receive({ max: 1, waitMs: 0, leaseMs: 1000 });
    assert.equal(again?.body, 'long');
  });

  test('a job that takes longer than its lease keeps it, and nobody else gets the job', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    let extensions = 0;
    const counting: WorkQueue = {
      ...methodsOf(liveJobs),
      extend: async (receipt, leaseMs) => {
        const extended = await liveJobs.extend(receipt, leaseMs);
        extensions += 1;
        return extended;
      },
    };
    await liveJobs.send(jobs('long'));
    start({ queues: [counting], run: gated.run, leaseMs: 400 });
    await gated.isRunning('long');
    // Three leases long: four extensions each.
    await waitFor('twelve extensions', async () => extensions >= 12);
    assert.deepEqual(await liveJobs.receive({ max: 1, waitMs: 0, leaseMs: 1000 }), []);
    assert.equal(gated.started[0]?.signal.aborted, false);
    gated.gates.get('long')?.();
    await waitFor('done', async () => (await liveJobs.depth()).inFlight === 0);
  });

  test('a worker that has lost the lease of a job stops it, and neither completes nor returns it', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    const reports: string[] = [];
    const settled: string[] = [];
    const stolen: WorkQueue = {
      ...methodsOf(liveJobs),
      extend: async () => false,
      acknowledge: async (receipts) => void settled.push(...receipts),
      release: async (receipt) => void settled.push(receipt),
    };
    await liveJobs.send(jobs('stolen'));
    start({
      queues: [stolen],
      run: gated.run,
      leaseMs: 400,
      report: (error) => reports.push(String(error)),
    });
    await gated.isRunning('stolen');
    await waitFor('the abort', async () => gated.started[0]?.signal.aborted);
    await waitFor('the report', async () => reports.length > 0);
    assert.match(reports[0] ?? '', /lease is lost/);
    assert.deepEqual(settled, []);
  });

  test('a job that ends well in spite of a lost lease is not acknowledged: another worker has it', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const acknowledged: string[] = [];
    let ended = false;
    const stolen: WorkQueue = {
      ...methodsOf(liveJobs),
      extend: async () => false,
      acknowledge: async (receipts) => void acknowledged.push(...receipts),
    };
    await liveJobs.send(jobs('stolen'));
    const loop = start({
      queues: [stolen],
      leaseMs: 400,
      run: async ({ signal }) => {
        await once(signal, 'abort');
        ended = true;
      },
    });
    await waitFor('the end of the job', async () => ended);
    await loop.stop(0);
    assert.deepEqual(acknowledged, []);
  });

  test('a worker whose queue cannot be reached for a whole lease stops its job', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    const reports: string[] = [];
    const cutOff: WorkQueue = {
      ...methodsOf(liveJobs),
      extend: async () => {
        throw new Error('no route to host');
      },
    };
    await liveJobs.send(jobs('cut off'));
    start({
      queues: [cutOff],
      run: gated.run,
      leaseMs: 400,
      report: (_, what) => reports.push(what),
    });
    await gated.isRunning('cut off');
    await waitFor('the abort', async () => gated.started[0]?.signal.aborted);
    assert.ok(reports.filter((what) => what === 'extending a lease').length >= 3, 'tried again');
  });

  test('a stream whose long jobs have all slots leaves one more to each that has none', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await liveJobs.send(jobsOf('hostile', 'h1', 'h2', 'h3', 'h4'));
    start({ concurrency: 2, run: gated.run, longMs: 1 });
    await gated.isRunning('h2');
    await liveJobs.send(jobsOf('healthy', 'a1', 'a2'));
    await liveJobs.send(jobsOf('other', 'b1'));
    // One at a time beside the two, in their turn, and none of the first stream.
    for (const body of ['a1', 'b1', 'a2']) {
      await gated.isRunning(body);
      assert.deepEqual([...gated.gates.keys()], ['h1', 'h2', body]);
      gated.gates.get(body)?.();
    }
    await waitFor('the end of a2', async () => !gated.gates.has('a2'));
    gated.gates.get('h1')?.();
    await gated.isRunning('h3');
    assert.deepEqual(gated.bodies(), ['h1', 'h2', 'a1', 'b1', 'a2', 'h3']);
    const { started } = gated;
    assert.ok(started.every(({ exclusive }) => !exclusive));
  });

  test('a worker of one job at once has a second one for other streams, too', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await liveJobs.send(jobsOf('hostile', 'h1', 'h2'));
    start({ run: gated.run, longMs: 1 });
    await gated.isRunning('h1');
    await liveJobs.send(jobsOf('healthy', 'a1'));
    await gated.isRunning('a1');
    assert.deepEqual(gated.bodies(), ['h1', 'a1']);
  });

  test('while the jobs of a stream take the time of segments, no more than so many are begun', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const gated = gatedJobs();
    const leftOut: unknown[] = [];
    const noting: WorkQueue = {
      ...methodsOf(liveJobs),
      receive: (options) => {
        if (options.exceptGroups) leftOut.push(options.exceptGroups);
        return liveJobs.receive(options);
      },
    };
    await liveJobs.send(jobsOf('busy', 'h1', 'h2', 'h3', 'h4', 'h5'));
    start({ queues: [noting], concurrency: 2, run: gated.run, longMs: 120_000 });
    await gated.isRunning('h2');
    for (const [ends, begins] of [
      ['h1', 'h3'],
      ['h2', 'h4'],
      ['h3', 'h5'],
    ] as const) {
      gated.gates.get(ends)?.();
      await gated.isRunning(begins);
      assert.equal(gated.gates.size, 2);
    }
    assert.deepEqual(leftOut, []);
  });

  test('live jobs are taken before back-fill, and analysis last', async (t) => {
    const { liveJobs, backfillJobs, analysisJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await liveJobs.send(jobs('live 1'));
    start({ queues: [liveJobs, backfillJobs, analysisJobs], run: gated.run });
    await gated.isRunning('live 1');
    await analysisJobs.send(jobs('analysis'));
    await backfillJobs.send(jobs('back-fill'));
    await liveJobs.send(jobs('live 2'));
    for (const body of ['live 1', 'live 2', 'back-fill', 'analysis']) {
      await gated.isRunning(body);
      gated.gates.get(body)?.();
    }
    assert.deepEqual(gated.bodies(), ['live 1', 'live 2', 'back-fill', 'analysis']);
  });

  test('a live job is begun at once, with all cores, though less urgent ones have all slots', async (t) => {
    const { liveJobs, backfillJobs, analysisJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await backfillJobs.send(jobs('back-fill 1', 'back-fill 2'));
    const queues = [liveJobs, backfillJobs, analysisJobs];
    start({ queues, concurrency: 2, run: gated.run, longMs: 120_000 });
    await gated.isRunning('back-fill 2');
    // Of the stream whose back-fill runs: no stream waits for itself either.
    await liveJobs.send(jobs('live 1'));
    await gated.isRunning('live 1');
    await liveJobs.send(jobs('live 2', 'live 3'));
    await gated.isRunning('live 2');
    assert.deepEqual([...gated.gates.keys()], ['back-fill 1', 'back-fill 2', 'live 1', 'live 2']);
    gated.gates.get('live 1')?.();
    await gated.isRunning('live 3');
    // A slot that is less urgent is free only when no more jobs run than there are slots.
    await backfillJobs.send(jobs('back-fill 3'));
    for (const body of ['back-fill 1', 'back-fill 2', 'live 2']) gated.gates.get(body)?.();
    await gated.isRunning('back-fill 3');
    assert.deepEqual([...gated.gates.keys()], ['live 3', 'back-fill 3']);
    assert.deepEqual(
      gated.started.map(({ body, isUrgent, exclusive }) => [body, isUrgent, exclusive]),
      [
        ['back-fill 1', false, false],
        ['back-fill 2', false, false],
        ['live 1', true, true],
        ['live 2', true, false],
        ['live 3', true, false],
        ['back-fill 3', false, false],
      ],
    );
  });

  test('long back-fill leaves one more job to other streams, and all slots to live jobs', async (t) => {
    const { liveJobs, backfillJobs, start } = await setUp(t);
    const gated = gatedJobs();
    await backfillJobs.send(jobsOf('archive', 'h1', 'h2'));
    start({ queues: [liveJobs, backfillJobs], run: gated.run, longMs: 1 });
    await gated.isRunning('h1');
    await backfillJobs.send(jobsOf('other', 'a1', 'a2'));
    await gated.isRunning('a1');
    await liveJobs.send(jobsOf('archive', 'live'));
    await gated.isRunning('live');
    assert.deepEqual([...gated.gates.keys()], ['h1', 'a1', 'live']);
  });

  test('an idle worker notices jobs of every class', async (t) => {
    const { liveJobs, backfillJobs, analysisJobs, start } = await setUp(t);
    const gated = gatedJobs();
    start({ queues: [liveJobs, backfillJobs, analysisJobs], run: gated.run });
    for (const [queue, body] of [
      [analysisJobs, 'analysis'],
      [liveJobs, 'live'],
      [backfillJobs, 'back-fill'],
    ] as const) {
      await queue.send(jobs(body));
      await gated.isRunning(body);
      gated.gates.get(body)?.();
    }
  });

  test('an idle worker asks every queue once in a wait, and waits at the most urgent one', async (t) => {
    const { liveJobs, backfillJobs, analysisJobs, start } = await setUp(t);
    const asked: string[] = [];
    const noting = (name: string, queue: WorkQueue): WorkQueue => ({
      ...methodsOf(queue),
      receive: async (options) => {
        asked.push(`${name} ${options.waitMs}`);
        await setImmediate();
        return queue.receive({ ...options, waitMs: 0 });
      },
    });
    await backfillJobs.send(jobs('one', 'two'));
    start({
      queues: [
        noting('live', liveJobs),
        noting('back-fill', backfillJobs),
        noting('analysis', analysisJobs),
      ],
      longMs: 120_000,
    });
    await waitFor('some rounds', async () => asked.length >= 11);
    assert.deepEqual(asked.slice(0, 11), [
      ...['live 2000', 'back-fill 0'],
      // While that one has the only slot.
      'live 20000',
      // Another one may be there, and none must wait for it.
      ...['live 0', 'back-fill 0', 'live 20000'],
      ...['live 0', 'back-fill 0', 'analysis 0'],
      ...['live 2000', 'back-fill 0'],
    ]);
  });

  test('a job costs one receive and one acknowledgement, and no count of the queue', async (t) => {
    const { liveJobs, start } = await setUp(t);
    const calls: string[] = [];
    const noting = Object.fromEntries(
      Object.entries(methodsOf(liveJobs)).map(([name, method]) => [
        name,
        (...args: unknown[]) => {
          calls.push(name);
          return (method as (...given: unknown[]) => unknown)(...args);
        },
      ]),
    ) as WorkQueue;
    await liveJobs.send(jobs('one'));
    start({ queues: [noting] });
    await waitFor('the next receive', async () => calls.length >= 3);
    assert.deepEqual(calls, ['receive', 'acknowledge', 'receive']);
  });
});

const methodsOf = (queue: WorkQueue): WorkQueue => ({
  send: (messages) => queue.send(messages),
  receive: (options) => queue.receive(options),
  extend: (receipt, leaseMs) => queue.extend(receipt, leaseMs),
  acknowledge: (receipts) => queue.acknowledge(receipts),
  release: (receipt, delayMs) => queue.release(receipt, delayMs),
  depth: () => queue.depth(),
});
