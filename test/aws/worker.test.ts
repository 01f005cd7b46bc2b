import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { bundleWorker, makeImageFolder } from '../../containers/transcoder/bundle.ts';
import { HEALTH_COMMAND } from '../../containers/transcoder/sign-of-life.ts';
import { awsConfig } from '../../lib/aws/aws-config.ts';
import { awsPorts } from '../../lib/aws/aws-ports.ts';
import { hashKey, newStream } from '../../lib/pipeline/access.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { StreamRecords } from '../../lib/pipeline/records.ts';
import { uploadSegment } from '../../lib/pipeline/upload.ts';
import { makeSegments } from '../support/media.ts';
import { temporaryFolder, waitFor } from '../support/system.ts';
import { type MiniStack, withMiniStack } from './ministack.ts';
import { makeBucket, makeQueue, makeTable } from './resources.ts';

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

/** An engine as deployed, and workers that have nothing but their bundle. */
async function setUp(t: TestContext, { connection, env: access }: MiniStack) {
  const queue = (grouped: boolean) => makeQueue(connection, { grouped, maxDeliveries: 5 });
  const [transcode, publish, timers, ingest, looks] = await Promise.all(
    [false, true, false, false, false].map(async (grouped) => (await queue(grouped)).url),
  );
  assert.ok(transcode && publish && timers && ingest && looks);
  const env = {
    ...access,
    RIVULET_BUCKET: await makeBucket(connection, ingest),
    RIVULET_TABLE: await makeTable(connection),
    RIVULET_TRANSCODE_QUEUE: transcode,
    RIVULET_PUBLISH_QUEUE: publish,
    RIVULET_TIMERS_QUEUE: timers,
    RIVULET_INGEST_QUEUE: ingest,
    RIVULET_LOOKS_QUEUE: looks,
  };
  const ports = awsPorts({ ...awsConfig(env), connection });
  t.after(() => ports.close());
  const deps: Deps = { ...ports, ownerKeyHash: hashKey('owner') };
  const records = new StreamRecords(ports.index);
  await records.createStream(newStream('show', Date.now()));
  const stream = await records.findStream('show');
  assert.ok(stream);

  const folder = await temporaryFolder(t);
  const [bare, scratch] = [join(folder, 'bare'), join(folder, 'scratch')];
  const programs = join(folder, 'programs');
  await Promise.all([bare, scratch, programs].map((path) => mkdir(path)));
  await bundleWorker(join(bare, 'worker.mjs'));
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
    const child: ChildProcess = spawn(process.execPath, ['worker.mjs'], {
      cwd: bare,
      env: {
        ...env,
        PATH: `${programs}:${process.env.PATH}`,
        REAL_PATH: process.env.PATH,
        TMPDIR: scratch,
        ECS_AGENT_URI: agent.url,
        RIVULET_STOP_SECONDS: String(stopSeconds),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout?.on('data', (piece) => {
      printed += piece;
    });
    const ended = once(child, 'exit');
    t.after(async () => {
      if (child.exitCode === null) child.kill('SIGKILL');
      await ended;
    });
    const stop = async (): Promise<number> => {
      const startedAtMs = performance.now();
      child.kill('SIGTERM');
      const [code] = await ended;
      assert.equal(code, 0, printed);
      return performance.now() - startedAtMs;
    };
    return { stop, output: () => printed };
  };

  const { segments } = await makeSegments({ seconds: 4, size: '640x360' });
  const upload = async (number: number): Promise<void> => {
    const bytes = segments[number]?.bytes;
    assert.ok(bytes);
    const now = await records.findStream('show');
    assert.ok(now);
    await uploadSegment(deps, now, { number, bytes, pushed: false });
  };
  const outcome = (number: number) => records.findOutcome(stream.value, 1, number);
  const inFlight = async () => (await ports.queues.transcode.depth()).inFlight > 0;
  return { bare, scratch, agent, isHealthy, start, upload, outcome, inFlight, ports };
}

await withMiniStack((stack) => {
  describe('the bundled worker', () => {
    test('needs nothing beside it, does its job, and finishes what it has when told to stop', async (t) => {
      const worker = await setUp(t, stack);
      const { ports } = worker;
      assert.equal(await worker.isHealthy(), false);
      const { stop, output } = await worker.start(120, 'sleep 1');
      await waitFor('the worker', worker.isHealthy);
      assert.equal((await ports.fleet.count()).running, 1);
      assert.deepEqual(worker.agent.states, []);

      await worker.upload(0);
      const outcome = await waitFor('the outcome', () => worker.outcome(0), 60_000);
      assert.ok(outcome.type === 'rendered', JSON.stringify(outcome));
      assert.deepEqual(Object.keys(outcome.renditions), ['360p', 'audio']);
      for (const { key, initKey, sizeBytes } of Object.values(outcome.renditions)) {
        assert.equal((await ports.media.head(key))?.sizeBytes, sizeBytes);
        assert.ok(await ports.media.head(initKey));
      }
      const [told] = await ports.queues.publish.receive({ max: 1, waitMs: 5_000, leaseMs: 20_000 });
      assert.deepEqual(JSON.parse(told?.body ?? '').settled, { run: 1, number: 0 });
      await waitFor('the end of the protection', async () => worker.agent.states.length === 2);
      assert.deepEqual(worker.agent.states, [true, false]);

      await worker.upload(1);
      await waitFor('the second job', worker.inFlight);
      await stop();
      assert.match(output(), /"what":"stopping".*"running":1/);
      assert.equal((await worker.outcome(1))?.type, 'rendered', output());
      assert.deepEqual(await ports.queues.transcode.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      assert.equal((await ports.fleet.count()).running, 0);
      assert.deepEqual(worker.agent.states, [true, false, true]);
      assert.deepEqual(await readdir(worker.bare), ['worker.mjs']);
      assert.deepEqual(await readdir(worker.scratch), ['alive']);
    });

    test('gives back what it cannot finish in time, for another one to take at once', async (t) => {
      const worker = await setUp(t, stack);
      const { stop } = await worker.start(5, 'exec sleep 60');
      await waitFor('the worker', worker.isHealthy);
      await worker.upload(0);
      await waitFor('the job', worker.inFlight);
      const tookMs = await stop();
      assert.ok(tookMs < 5_000, `it stopped after ${tookMs} ms`);
      assert.equal(await worker.outcome(0), undefined);
      const queue = worker.ports.queues.transcode;
      const [again] = await queue.receive({ max: 1, waitMs: 2_000, leaseMs: 20_000 });
      assert.equal(again?.deliveries, 2);
    });
  });
});

test('the image is made of the bundle and the Dockerfile, whose health check is the tested one', async (t) => {
  const folder = join(await temporaryFolder(t), 'image');
  await makeImageFolder(folder);
  assert.deepEqual((await readdir(folder)).sort(), ['Dockerfile', 'worker.mjs']);
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8');
  assert.ok(dockerfile.includes(`CMD ${HEALTH_COMMAND}\n`));
  assert.match(dockerfile, /^USER \d+:\d+$/m);
});
