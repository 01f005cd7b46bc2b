import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProcessFleet, type WorkerExit } from '../../lib/embedded/child-process-fleet.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { hashKey, newStream } from '../../lib/pipeline/auth.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { makeSegments } from '../support/media.ts';
import { MEDIA_THREADS } from '../support/media-threads.ts';
import { temporaryFolder, waitFor } from '../support/system.ts';

const WORKER = fileURLToPath(new URL('../../bin/serve/local-worker.ts', import.meta.url));
const NONE = { ready: 0, inFlight: 0, delayed: 0 };

/** Real workers on a real data folder. `step`: what their ffmpeg does before it begins. */
async function setUp(t: TestContext, step: string) {
  // Last things first: workers end before their folder is removed.
  const ends: (() => unknown)[] = [];
  t.after(async () => {
    for (const end of ends) await end();
  });
  const scope = { after: (end: () => unknown) => void ends.unshift(end) };
  const folder = await temporaryFolder(scope);
  const data = openDataFolder(join(folder, 'data'));
  const ports = embeddedPorts(data);
  const programs = join(folder, 'programs');
  await mkdir(programs);
  const script = `#!/bin/sh\n[ "$1" = -version ] || ${step}\nPATH=$REAL_PATH exec ffmpeg "$@"\n`;
  await writeFile(join(programs, 'ffmpeg'), script, { mode: 0o755 });
  const exits: WorkerExit[] = [];
  const fleet = new ChildProcessFleet({
    module: WORKER,
    env: {
      ...process.env,
      RIVULET_DATA: data.path,
      RIVULET_JOBS: '1',
      PATH: `${programs}:${process.env.PATH}`,
      REAL_PATH: process.env.PATH,
    },
    graceMs: 30_000,
    jobsOf: (owner) => ports.queues.liveJobs.leasesOf(owner),
    onExit: (exit) => exits.push(exit),
  });
  scope.after(async () => {
    await fleet.stop();
    ports.close();
  });
  const { records } = withRecords(ports);
  const stream = newStream('show', Date.now());
  await records.createStream(stream);
  const { segments } = await makeSegments({ seconds: 6, size: '160x90', hlsTime: 2 });
  const upload = async (number: number): Promise<void> => {
    const found = (await records.findStream('show')) ?? assert.fail('no stream');
    const bytes = segments[number]?.bytes ?? assert.fail('no segment');
    const deps = { ...withRecords(ports), ...MEDIA_THREADS, ownerKeyHash: hashKey('owner') };
    await uploadSegment(deps, found, { number, bytes, pushed: false });
  };
  const outcome = async (number: number) => (await records.findOutcome(stream, 1, number))?.type;
  const depth = () => ports.queues.liveJobs.depth();
  const workers = () => fleet.pids.map(String);
  const leasesOf = (owner: string) => ports.queues.liveJobs.leasesOf(owner);
  return { fleet, exits, upload, outcome, depth, workers, leasesOf };
}

describe('a worker that is taken away', { concurrency: 2 }, () => {
  test('takes no more jobs, and finishes the one that it has', async (t) => {
    const { fleet, exits, upload, outcome, depth } = await setUp(t, 'sleep 1');
    await fleet.scaleTo(1);
    await upload(0);
    await waitFor('the job', async () => (await depth()).inFlight === 1);
    await upload(1);
    await fleet.scaleTo(0);
    await waitFor('the end of the worker', async () => exits.length === 1);
    assert.deepEqual([exits[0]?.code, exits[0]?.restartInMs], [0, undefined]);
    assert.equal(await outcome(0), 'rendered');
    assert.equal(await outcome(1), undefined);
    assert.deepEqual(await depth(), { ...NONE, ready: 1 });
    await fleet.scaleTo(1);
    await waitFor('the other job', async () => (await outcome(1)) === 'rendered');
  });

  test('is one without a job, where there is one', async (t) => {
    const { fleet, exits, upload, outcome, workers, leasesOf } = await setUp(t, 'sleep 2');
    await fleet.scaleTo(2);
    await upload(0);
    const busy = () => workers().filter((owner) => leasesOf(owner) > 0);
    const [worker] = await waitFor('the job', async () => busy().length === 1 && busy());
    await fleet.scaleTo(1);
    assert.deepEqual(workers(), [worker]);
    await waitFor('the outcome', async () => (await outcome(0)) === 'rendered');
    await waitFor('the end of the other', async () => exits.length === 1);
    assert.notEqual(exits[0]?.owner, worker);
  });

  test('gives back what it cannot finish in its time, for another one to do', async (t) => {
    const { fleet, exits, upload, depth } = await setUp(t, 'exec sleep 60');
    await fleet.scaleTo(1);
    await upload(0);
    await waitFor('the job', async () => (await depth()).inFlight === 1);
    await fleet.scaleTo(0);
    await waitFor('the end of the worker', async () => exits.length === 1);
    assert.deepEqual([exits[0]?.code, exits[0]?.signal], [0, null], 'nobody had to kill it');
    assert.deepEqual(await depth(), { ...NONE, ready: 1 });
  });
});
