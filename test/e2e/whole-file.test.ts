import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamView } from '../../lib/api/messages.ts';
import { ffmpeg, probe } from '../support/ffmpeg.ts';
import { startTestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { workerPids } from '../support/workers.ts';

const SECONDS = 40;
const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];
/** Of the file, that are cut when all workers are killed. */
const KILLED_AT_SECONDS = [2, 12, 25];

test('workers may be killed while they cut a file: each frame and each packet of sound is there once', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'film.mp4');
  await ffmpeg([
    ...['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=25:d=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=f=440:r=48000:d=${SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac', path],
  ]);
  const system = await startTestSystem(t, { env: { RIVULET_WORKERS: '2' } });
  await system.fetch('/streams/film', {
    method: 'PUT',
    body: JSON.stringify({ ladder: LADDER, targetDurationSeconds: 1, dvrWindowSeconds: null }),
  });
  const body = new Uint8Array(await readFile(path));
  const taken = await system.fetch('/upload/film?kind=file&name=film.mp4', {
    method: 'POST',
    body,
  });
  assert.equal(taken.status, 201, await taken.text());
  const state = async () => {
    const answer = await system.fetch('/viewstream/metadata/film?format=json');
    return (await answer.json()) as StreamView;
  };
  for (const seconds of KILLED_AT_SECONDS) {
    await waitFor(`${seconds} s`, async () => ((await state()).file?.cutSeconds ?? 0) >= seconds);
    for (const pid of await workerPids(system)) process.kill(pid, 'SIGKILL');
  }
  const ended = await waitFor(
    'the end of the stream',
    async () => {
      const view = await state();
      return view.state === 'ended' && view;
    },
    180_000,
  );
  assert.deepEqual([ended.file?.state, ended.file?.notices], ['done', undefined]);
  assert.equal(ended.durationSeconds, SECONDS);
  const packetsIn = async (input: string, stream = 0): Promise<number> =>
    Number((await probe(input, ['-count_packets']))[stream]?.nb_read_packets);
  const listed = (playlist: string): string =>
    `${system.url}/viewstream/metadata/film/${playlist}.m3u8?view=vod`;
  assert.equal(await packetsIn(listed('90p')), SECONDS * 25);
  // With the one before the start, which decoders need for the first that is heard.
  assert.equal(await packetsIn(listed('audio')), await packetsIn(path, 1));
});
