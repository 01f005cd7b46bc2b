import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { StreamView } from '../../lib/api/messages.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { encode, ffmpeg, lavfi } from '../support/ffmpeg.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { workerPids } from '../support/workers.ts';

const SEGMENTS = 8;
const IDLE_SECONDS = 2;
const STREAM = {
  ladder: [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }],
  targetDurationSeconds: 2,
  dvrWindowSeconds: null,
};
const ENV = { RIVULET_WORKERS: '2', RIVULET_IDLE_SECONDS: String(IDLE_SECONDS) };

async function makeStream(t: TestContext): Promise<Buffer[]> {
  const folder = await temporaryFolder(t);
  const cut = ['-f', 'segment', '-segment_time', '1', join(folder, '%d.ts')];
  await ffmpeg([...lavfi('160x90', 30), '-t', String(SEGMENTS), ...encode(30), ...cut]);
  const numbers = Array.from({ length: SEGMENTS }, (_, number) => number);
  return Promise.all(numbers.map((number) => readFile(join(folder, `${number}.ts`))));
}

async function create(system: TestSystem): Promise<void> {
  const body = JSON.stringify(STREAM);
  assert.equal((await system.fetch('/streams/show', { method: 'PUT', body })).status, 201);
}

async function upload(system: TestSystem, number: number, bytes: Buffer | undefined) {
  assert.ok(bytes);
  const body = new Uint8Array(bytes);
  const answer = await system.fetch(`/upload/show?segment=${number}`, { method: 'POST', body });
  assert.equal(answer.status, 201);
}

async function listed(system: TestSystem): Promise<number> {
  const answer = await system.fetch('/viewstream/metadata/show/90p.m3u8');
  if (!answer.ok) return 0;
  const { segments } = parseMediaWithHls(await answer.text());
  assert.ok(segments.every(({ gap, discontinuitySequence }) => !gap && !discontinuitySequence));
  return segments.length;
}

const allListed = (system: TestSystem, count: number) =>
  waitFor(`${count} segments`, async () => (await listed(system)) === count);

const workersAre = (system: TestSystem, count: number) =>
  waitFor(`${count} workers`, async () => (await workerPids(system)).length === count);

async function health(system: TestSystem): Promise<unknown> {
  return (await system.fetch('/healthz')).json();
}

const READY = {
  ready: true,
  parts: { media: 'ok', index: 'ok', queues: 'ok', workers: 'ok' },
};

describe('the workers', () => {
  test('come with the first upload, go when nobody streams, and come back', async (t) => {
    const segments = await makeStream(t);
    const system = await startTestSystem(t, { env: ENV });
    await create(system);
    assert.deepEqual(await health(system), READY);
    assert.deepEqual(await workerPids(system), []);

    await upload(system, 0, segments[0]);
    await workersAre(system, 1);
    for (let number = 1; number < SEGMENTS / 2; number += 1) {
      await upload(system, number, segments[number]);
    }
    await allListed(system, SEGMENTS / 2);
    await workersAre(system, 0);
    assert.deepEqual(await health(system), READY);

    for (let number = SEGMENTS / 2; number < SEGMENTS; number += 1) {
      await upload(system, number, segments[number]);
    }
    await allListed(system, SEGMENTS);
    await system.fetch('/upload/show/end', { method: 'POST' });
    const view = await waitFor('the end of the stream', async () => {
      const answer = await system.fetch('/viewstream/metadata/show?format=json');
      const stream = (await answer.json()) as StreamView;
      return stream.state === 'ended' && stream;
    });
    assert.equal(Math.round(view.durationSeconds), SEGMENTS);
    await workersAre(system, 0);
    assert.doesNotMatch(system.output(), /error/);
  });

  test('start by themselves for jobs that are left from before a crash', async (t) => {
    const segments = await makeStream(t);
    const dataPath = join(await temporaryFolder(t), 'data');
    // With ten seconds between evaluations: the one that it has requested comes too late for the next start.
    const first = await startTestSystem(t, { dataPath });
    await create(first);
    for (const [number, bytes] of segments.entries()) await upload(first, number, bytes);
    await first.kill('SIGKILL');
    const ports = embeddedPorts(openDataFolder(dataPath));
    const { ready, inFlight, delayed } = await ports.queues.liveJobs.depth();
    ports.close();
    assert.ok(ready + inFlight + delayed > 0, 'jobs are left');

    const second = await startTestSystem(t, { dataPath, env: ENV });
    await waitFor('a worker', async () => (await workerPids(second)).length > 0);
    await allListed(second, SEGMENTS);
    await workersAre(second, 0);
  });

  test('are reported missing where the engine may have none and none was started', async (t) => {
    const system = await startTestSystem(t, { env: { RIVULET_WORKERS: '0' } });
    const answer = await system.fetch('/healthz');
    assert.equal(answer.status, 503);
    const parts = { ...READY.parts, workers: 'no worker is running' };
    assert.deepEqual(await answer.json(), { ready: false, parts });
  });
});
