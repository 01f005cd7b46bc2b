/** A kind of job needs a file of its own and a row in the registry, and runs on every engine. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { jobsDeadHandler } from '../../lambdas/queue/jobs.ts';
import { QueuePoller } from '../../lib/embedded/queue-poller.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { enqueueJobs } from '../../lib/pipeline/jobs/enqueue.ts';
import type { JobClass, JobKind, SegmentJob } from '../../lib/pipeline/jobs/job-kind.ts';
import { type JobRegistry, jobRegistry } from '../../lib/pipeline/jobs/registry.ts';
import { transcode } from '../../lib/pipeline/jobs/transcode.ts';
import { startWorker } from '../../lib/pipeline/jobs/worker.ts';
import type { Delivery, Ports, WorkQueue } from '../../lib/ports/ports.ts';
import { forEachQueue, MAX_DELIVERIES } from '../../lib/ports/queues.ts';
import { MEDIA_THREADS } from '../support/media-threads.ts';

export type EngineUnderTest = Readonly<{
  ports: Ports;
  /** Of all queues of jobs. */
  deadLetters: WorkQueue;
  close(): Promise<void>;
}>;

/** Longer than the test may last: only a message ends such a wait in time. */
const FOR_EVER_MS = 10 * 60_000;

type Tiny = SegmentJob & Readonly<{ note: string }>;

type TinyKind = JobKind<Tiny> & {
  /** What was run and what was given up, in order. */
  readonly calls: (readonly [what: 'run' | 'give up', job: Tiny])[];
};

const TINY: Tiny = { videoId: 'show', uid: 'u1', run: 1, number: 7, note: 'ü' };

/** `run` throws as often as that, and then succeeds. */
function tinyKind(
  given: Readonly<{ class: JobClass; blocksPublishing: boolean; failures?: number }>,
): TinyKind {
  let failures = given.failures ?? 0;
  const calls: TinyKind['calls'] = [];
  return {
    ...given,
    calls,
    name: `tiny-${given.class}`,
    weight: 0.1,
    schema: {
      parse(message) {
        assert.deepEqual(message, TINY);
        return message as Tiny;
      },
    },
    async run(_deps, job) {
      calls.push(['run', job]);
      if (failures > 0) {
        failures -= 1;
        throw new Error('by the test');
      }
      return 'done';
    },
    async giveUp(_deps, job, reason) {
      assert.ok(reason.length > 0);
      calls.push(['give up', job]);
    },
  };
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const isEmpty = async (queue: WorkQueue): Promise<boolean> =>
  Object.values(await queue.depth()).every((count) => count === 0);

const takeOne = async (queue: WorkQueue): Promise<Delivery> => {
  const [delivery] = await queue.receive({ max: 1, waitMs: FOR_EVER_MS, leaseMs: 20_000 });
  return delivery ?? assert.fail('no message');
};

/** As they are, but that a failed job comes back at once. */
const impatient = (queues: Ports['queues']): Ports['queues'] =>
  forEachQueue((name) => ({
    send: (messages) => queues[name].send(messages),
    receive: (options) => queues[name].receive(options),
    extend: (receipt, leaseMs) => queues[name].extend(receipt, leaseMs),
    acknowledge: (receipts) => queues[name].acknowledge(receipts),
    release: (receipt) => queues[name].release(receipt, 0),
    depth: () => queues[name].depth(),
  }));

/** Runs a worker, and the handler of the dead letters, until `done`. Answers what the worker reported. */
async function work(
  deps: Deps,
  deadLetters: WorkQueue,
  jobs: JobRegistry,
  done: () => boolean | Promise<boolean>,
): Promise<string[]> {
  const reports: string[] = [];
  const report = (error: unknown, what: string) => void reports.push(`${what}: ${error}`);
  const worker = startWorker({ deps, jobs, concurrency: 1, workFolder: tmpdir(), report });
  const handler = jobsDeadHandler(deps, jobs);
  const poller = new QueuePoller({ name: 'jobs-dead', queue: deadLetters, handler, report });
  await until(done);
  await Promise.all([worker.stop(5_000), poller.stop()]);
  return reports;
}

export function jobKindContract(name: string, make: () => Promise<EngineUnderTest>): void {
  const withEngine = (
    title: string,
    run: (deps: Deps, deadLetters: WorkQueue) => Promise<void>,
  ): void => {
    test(title, { timeout: 60_000 }, async () => {
      const { ports, deadLetters, close } = await make();
      const queues = impatient(ports.queues);
      try {
        await run(
          { ...withRecords(ports), ...MEDIA_THREADS, queues, ownerKeyHash: '' },
          deadLetters,
        );
      } finally {
        await close();
      }
    });
  };

  describe(`a kind of job that is added to ${name}`, { concurrency: 4 }, () => {
    withEngine(
      'is run once, with its own body, beside those that are there',
      async (deps, dead) => {
        const kind = tinyKind({ class: 'analysis', blocksPublishing: false });
        await enqueueJobs(deps, kind, [TINY]);
        assert.equal(
          (await deps.queues.analysisJobs.depth()).ready,
          1,
          'on the queue of its class',
        );
        const jobs = jobRegistry([transcode, kind]);
        const reports = await work(deps, dead, jobs, () => isEmpty(deps.queues.analysisJobs));
        assert.deepEqual(kind.calls, [['run', TINY]]);
        assert.ok(await isEmpty(deps.queues.publish), 'publishing does not wait for it');
        assert.deepEqual(reports, []);
      },
    );

    withEngine('is tried again when it fails', async (deps, dead) => {
      const kind = tinyKind({ class: 'analysis', blocksPublishing: false, failures: 2 });
      await enqueueJobs(deps, kind, [TINY]);
      const jobs = jobRegistry([transcode, kind]);
      const reports = await work(deps, dead, jobs, () => isEmpty(deps.queues.analysisJobs));
      assert.deepEqual(kind.calls, Array(3).fill(['run', TINY]));
      assert.equal(reports.length, 2);
      assert.match(reports.join(), /by the test/);
    });

    for (const blocksPublishing of [false, true]) {
      withEngine(
        `is given up once when every delivery failed, and then publishing ${blocksPublishing ? 'goes on' : 'is not notified, as it does not wait for it'}`,
        async (deps, dead) => {
          const kind = tinyKind({ class: 'analysis', blocksPublishing, failures: MAX_DELIVERIES });
          await enqueueJobs(deps, kind, [TINY]);
          const isOver = async () => kind.calls.length > MAX_DELIVERIES && (await isEmpty(dead));
          await work(deps, dead, jobRegistry([transcode, kind]), isOver);
          const tries = Array(MAX_DELIVERIES).fill(['run', TINY]);
          assert.deepEqual(kind.calls, [...tries, ['give up', TINY]]);
          if (blocksPublishing) await assertNotified(deps);
          assert.ok(await isEmpty(deps.queues.publish));
        },
      );
    }

    withEngine(
      'notifies the publisher when it is done, if publishing waits for it',
      async (deps, dead) => {
        const kind = tinyKind({ class: 'backfill', blocksPublishing: true });
        await enqueueJobs(deps, kind, [TINY]);
        const jobs = jobRegistry([transcode, kind]);
        await work(deps, dead, jobs, () => isEmpty(deps.queues.backfillJobs));
        assert.deepEqual(kind.calls, [['run', TINY]]);
        await assertNotified(deps);
        assert.ok(await isEmpty(deps.queues.publish));
      },
    );

    withEngine(
      'keeps no live job waiting: that one is run while it has the only slot',
      async (deps, dead) => {
        const kinds = (['backfill', 'live'] as const).map((one) => ({
          ...tinyKind({ class: one, blocksPublishing: false }),
        }));
        const [backfill = assert.fail(), live = assert.fail()] = kinds;
        let isLiveDone = false;
        await enqueueJobs(deps, backfill, [TINY]);
        const waiting: JobKind<Tiny> = {
          ...backfill,
          async run() {
            await enqueueJobs(deps, live, [TINY]);
            await until(() => isLiveDone);
            return 'done';
          },
        };
        const atOnce: JobKind<Tiny> = {
          ...live,
          async run() {
            isLiveDone = true;
            return 'done';
          },
        };
        await work(deps, dead, jobRegistry([waiting, atOnce]), () =>
          isEmpty(deps.queues.backfillJobs),
        );
        assert.ok(isLiveDone);
      },
    );

    withEngine('is run after live jobs, and analysis after back-fill', async (deps, dead) => {
      const classes = ['analysis', 'backfill', 'live'] as const;
      const kinds = classes.map((one) => tinyKind({ class: one, blocksPublishing: false }));
      const order: string[] = [];
      for (const kind of kinds) {
        kind.calls.push = () => order.push(kind.class);
        await enqueueJobs(deps, kind, [TINY, TINY]);
      }
      await work(deps, dead, jobRegistry(kinds), () => order.length === 6);
      assert.deepEqual(order, ['live', 'live', 'backfill', 'backfill', 'analysis', 'analysis']);
    });
  });
}

async function assertNotified({ queues }: Deps): Promise<void> {
  const { body, group, receipt } = await takeOne(queues.publish);
  const { videoId, uid, run, number } = TINY;
  assert.deepEqual(JSON.parse(body), { videoId, uid, completed: { run, number } });
  assert.equal(group, uid);
  await queues.publish.acknowledge([receipt]);
}
