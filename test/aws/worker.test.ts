import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { bundleWorker, makeImageFolder } from '../../containers/worker/bundle.ts';
import { HEALTH_COMMAND } from '../../containers/worker/heartbeat-file.ts';
import { temporaryFolder, waitFor } from '../support/system.ts';
import { engineWithStream } from './engine-with-stream.ts';
import { type MiniStack, withMiniStack } from './ministack.ts';
import { watchWorker } from './worker-process.ts';

type Agent = Readonly<{ url: string; states: boolean[] }>;

/** What ECS runs beside each container. */
async function startAgent(t: TestContext): Promise<Agent> {
  const states: boolean[] = [];
  const server = createServer(async (request, response) => {
    const { ProtectionEnabled } = JSON.parse(await text(request));
    assert.deepEqual([request.method, request.url], ['PUT', '/api/task-protection/v1/state']);
    states.push(ProtectionEnabled);
    response.end(JSON.stringify({ protection: { ProtectionEnabled } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}/api`, states };
}

/** Workers that have nothing but their bundle. */
async function setUp(t: TestContext, stack: MiniStack) {
  const { env, ...engine } = await engineWithStream(t, stack);
  const folder = await temporaryFolder(t);
  const [bare, scratch] = [join(folder, 'bare'), join(folder, 'scratch')];
  const programs = join(folder, 'programs');
  await Promise.all([bare, scratch, programs].map((path) => mkdir(path)));
  await bundleWorker(bare);
  const agent = await startAgent(t);
  const isHealthy = (): Promise<boolean> =>
    new Promise((resolve) => {
      const options = { env: { PATH: process.env.PATH ?? '', TMPDIR: scratch } };
      execFile('sh', ['-c', HEALTH_COMMAND], options, (error) => resolve(error === null));
    });

  /** `step`: what its ffmpeg does before it begins. */
  const start = async (stopSeconds: number, step: string) => {
    const script = `#!/bin/sh\n[ "$1" = -version ] || ${step}\nPATH=$REAL_PATH exec ffmpeg "$@"\n`;
    await writeFile(join(programs, 'ffmpeg'), script, { mode: 0o755 });
    return watchWorker(
      t,
      spawn(process.execPath, ['worker.mjs'], {
        cwd: bare,
        env: {
          ...env,
          PATH: `${programs}:${process.env.PATH}`,
          REAL_PATH: process.env.PATH,
          TMPDIR: scratch,
          ECS_AGENT_URI: agent.url,
          RIVULET_STOP_SECONDS: String(stopSeconds),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  };
  const inFlight = async () => (await engine.ports.queues.liveJobs.depth()).inFlight > 0;
  return { ...engine, bare, scratch, agent, isHealthy, start, inFlight };
}

await withMiniStack((stack) => {
  describe('the bundled worker', () => {
    test('needs no other file, does its job, and finishes what it has before it stops', async (t) => {
      const worker = await setUp(t, stack);
      const { ports } = worker;
      assert.equal(await worker.isHealthy(), false);
      const { stop, output } = await worker.start(120, 'sleep 1');
      await waitFor('the worker', worker.isHealthy);
      assert.equal((await ports.fleet.count()).running, 1);
      assert.deepEqual(worker.agent.states, []);

      await worker.upload(0);
      assert.deepEqual(await worker.rendered(0), ['360p', '240p', 'audio']);
      const options = { max: 1, waitMs: 5_000, leaseMs: 20_000 };
      const [request] = await ports.queues.publish.receive(options);
      assert.deepEqual(JSON.parse(request?.body ?? '').completed, { run: 1, number: 0 });
      await waitFor('the end of the protection', async () => worker.agent.states.length === 2);
      assert.deepEqual(worker.agent.states, [true, false]);

      await worker.upload(1);
      await waitFor('the second job', worker.inFlight);
      await stop();
      assert.match(output(), /"what":"stopping".*"running":1/);
      assert.equal((await worker.outcome(1))?.type, 'rendered', output());
      assert.deepEqual(await ports.queues.liveJobs.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      assert.equal((await ports.fleet.count()).running, 0);
      assert.deepEqual(worker.agent.states, [true, false, true]);
      assert.deepEqual((await readdir(worker.bare)).sort(), ['split-thread.mjs', 'worker.mjs']);
      assert.deepEqual(await readdir(worker.scratch), ['alive']);
    });

    test('gives back what it cannot finish in time, for another one to take at once', async (t) => {
      const worker = await setUp(t, stack);
      // The job takes longer than the test may.
      const { stop } = await worker.start(5, 'exec sleep 3600');
      await waitFor('the worker', worker.isHealthy);
      await worker.upload(0);
      await waitFor('the job', worker.inFlight);
      await stop();
      assert.equal(await worker.outcome(0), undefined);
      const queue = worker.ports.queues.liveJobs;
      const [again] = await queue.receive({ max: 1, waitMs: 2_000, leaseMs: 20_000 });
      assert.equal(again?.deliveries, 2);
    });
  });
});

test('the image is made of the bundle and the Dockerfile, whose health check is the tested one', async (t) => {
  const folder = join(await temporaryFolder(t), 'image');
  await makeImageFolder(folder);
  assert.deepEqual((await readdir(folder)).sort(), [
    'Dockerfile',
    'split-thread.mjs',
    'worker.mjs',
  ]);
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8');
  assert.ok(dockerfile.includes(`CMD ${HEALTH_COMMAND}\n`));
  assert.match(dockerfile, /^USER \d+:\d+$/m);
});
