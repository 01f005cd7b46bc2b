import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamView } from '../../lib/api/messages.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { encode, ffmpeg, lavfi, probe } from '../support/ffmpeg.ts';
import { startTestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { workerPids } from '../support/workers.ts';

const SEGMENTS = 30;
const LADDER = [
  { name: '180p', shortSidePx: 180, maxrateBps: 400_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 200_000 },
];

/** Uploaded in any order; workers die again and again. Every frame is there once all the same. */
test('workers may be killed at random, segments come in any order: no frame is lost', async (t) => {
  const folder = await temporaryFolder(t);
  const cut = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0'];
  const files = ['-hls_segment_filename', join(folder, '%d.ts'), join(folder, 'list.m3u8')];
  await ffmpeg([...lavfi('320x180', 30), '-t', String(SEGMENTS), ...encode(30), ...cut, ...files]);
  const system = await startTestSystem(t, { env: { RIVULET_WORKERS: '2' } });
  const settings = { ladder: LADDER, targetDurationSeconds: 2, dvrWindowSeconds: null };
  await system.fetch('/streams/hard', {
    method: 'PUT',
    body: JSON.stringify({ ...settings, holeGraceSeconds: 120 }),
  });
  let seed = 20260101;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  const order = Array.from({ length: SEGMENTS }, (_, number) => number);
  // Number 0 first, as every client does; the rest shuffled.
  for (let index = SEGMENTS - 1; index > 1; index -= 1) {
    const other = 1 + random(index);
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  let killed = 0;
  for (const [turn, number] of order.entries()) {
    const body = new Uint8Array(await readFile(join(folder, `${number}.ts`)));
    const answer = await system.fetch(`/upload/hard?segment=${number}`, { method: 'POST', body });
    assert.equal(answer.status, 201);
    if (turn % 6 !== 5) continue;
    // There is one from the first upload on; one that was killed comes back after a while.
    const workers = await waitFor('a worker', async () => {
      const pids = await workerPids(system);
      return pids.length > 0 && pids;
    });
    process.kill(workers[random(workers.length)] ?? assert.fail(), 'SIGKILL');
    killed += 1;
  }
  assert.equal(killed, 5);
  await system.fetch('/upload/hard/end', { method: 'POST' });
  const view = await waitFor(
    'the end of the stream',
    async () => {
      const answer = await fetch(`${system.url}/viewstream/metadata/hard?format=json`);
      const stream = (await answer.json()) as StreamView;
      return stream.state === 'ended' ? stream : undefined;
    },
    90_000,
  );
  assert.equal(Math.round(view.durationSeconds), SEGMENTS);
  const playlist = await (await fetch(`${system.url}${view.hls}/90p.m3u8?view=vod`)).text();
  const { segments } = parseMediaWithHls(playlist);
  assert.equal(segments.length, SEGMENTS);
  assert.ok(segments.every((segment) => !segment.gap && segment.discontinuitySequence === 0));
  const streams = await probe(`${system.url}${view.hls}`);
  const frames = streams.filter((stream) => stream.codec_type === 'video');
  assert.deepEqual(
    frames.map((stream) => stream.nb_read_frames),
    [String(SEGMENTS * 30), String(SEGMENTS * 30)],
  );
});
