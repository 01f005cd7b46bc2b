import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MarkerList, StreamView } from '../../lib/api/messages.ts';
import { encode, ffmpeg } from '../support/ffmpeg.ts';
import { startTestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const DETECTOR = join(import.meta.dirname, '..', '..', 'docs', 'detect-flash.mjs');
const FPS = 25;
const SEGMENTS = 3;
/** The square is white from these pictures on, for five of them. */
const FLASHES = [30, 73, 121];
/** A minute ago: what is months ago is a clock that was never set. */
const START = Date.now() - 60_000;

test('a program that watches a stream posts markers, each at the very picture of its event', async (t) => {
  const system = await startTestSystem(t);
  const folder = await temporaryFolder(t);
  const enabled = FLASHES.map((from) => `between(n\\,${from}\\,${from + 4})`).join('+');
  const square = `drawbox=x=285:y=5:w=30:h=30:color=white:t=fill:enable='${enabled}'`;
  await ffmpeg([
    ...['-f', 'lavfi', '-i', `color=gray:size=320x180:rate=${FPS},${square}`],
    ...['-t', String(2 * SEGMENTS), ...encode(2 * FPS)],
    ...['-f', 'hls', '-hls_time', '2', '-hls_list_size', '0', join(folder, 's.m3u8')],
  ]);
  for (let number = 0; number < SEGMENTS; number += 1) {
    const at = new Date(START + 2000 * number).toISOString();
    const path = `/upload/show?segment=${number}&session=one&duration=2&at=${at}`;
    const body = await readFile(join(folder, `s${number}.ts`));
    assert.equal((await system.fetch(path, { method: 'POST', body })).status, 201);
  }
  assert.equal((await system.fetch('/upload/show/end', { method: 'POST' })).status, 200);
  await waitFor('the end for viewers', async () => {
    const answer = await fetch(`${system.url}/viewstream/metadata/show.m3u8`);
    return (await answer.text()).includes('view=vod');
  });

  const detect = async (): Promise<string> => {
    const child = spawn(process.execPath, [DETECTOR, system.url, 'show', system.ownerKey]);
    let output = '';
    child.stdout.on('data', (some) => (output += some));
    child.stderr.on('data', (some) => (output += some));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    return output;
  };
  const list = async (): Promise<MarkerList> =>
    (await fetch(`${system.url}/markers/show?class=flash`)).json() as Promise<MarkerList>;
  await detect();
  const found = await waitFor('the markers', async () => {
    const { markers } = await list();
    return markers.length >= FLASHES.length && markers;
  });
  const pictures = found.map(({ at = '' }) => ((Date.parse(at) - START) / 1000) * FPS);
  assert.deepEqual(pictures, FLASHES);

  const view = await (await fetch(`${system.url}/viewstream/metadata/show?format=json`)).json();
  const { renditions } = view as StreamView;
  const path = `/viewstream/metadata/show/${renditions[0]?.name}.m3u8?view=vod`;
  const playlist = await (await fetch(`${system.url}${path}`)).text();
  const names = [...playlist.matchAll(/#EXT-X-DATERANGE:ID="([^"]+)"/g)];
  assert.deepEqual(
    names.map(([, id]) => id),
    found.map(({ id }) => id),
  );
  const again = await detect();
  assert.match(again, /^(\S+Z 200\n){3}$/, 'what is sent again changes nothing');
  assert.equal((await list()).version, FLASHES.length);
});
