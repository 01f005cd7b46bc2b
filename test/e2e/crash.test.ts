import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Receipt, StreamView } from '../../lib/api/messages.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { encode, ffmpeg, lavfi } from '../support/ffmpeg.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const SEGMENTS = 24;
const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

test('kill -9 at any moment loses nothing that was acknowledged, and the playlist goes on', async (t) => {
  const folder = await temporaryFolder(t);
  const dataPath = join(folder, 'data');
  const cut = ['-f', 'segment', '-segment_time', '1', join(folder, '%d.ts')];
  await ffmpeg([...lavfi('160x90', 30), '-t', String(SEGMENTS), ...encode(30), ...cut]);
  let system = await startTestSystem(t, { dataPath });
  const created = await system.fetch('/streams/crash', {
    method: 'PUT',
    body: JSON.stringify({ ladder: LADDER, dvrWindowSeconds: null, targetDurationSeconds: 2 }),
  });
  assert.equal(created.status, 201);
  const listed: string[][] = [];
  const acknowledged = new Set<number>();
  for (let number = 0; number < SEGMENTS; number += 1) {
    const bytes = await readFile(join(folder, `${number}.ts`));
    // At each of these the engine dies: between requests, and within them.
    if (number % 6 === 3) {
      const upload = postSegment(system, number, bytes).catch(() => undefined);
      const dying = system.kill('SIGKILL');
      const receipt = await upload;
      if (receipt) acknowledged.add(number);
      await dying;
      system = await startTestSystem(t, { dataPath });
    }
    const receipt = await postSegment(system, number, bytes);
    assert.ok(receipt, `segment ${number}`);
    acknowledged.add(number);
    for (const known of acknowledged) assert.ok(!receipt.missing.includes(known));
    listed.push(await playlist(system));
  }
  await system.fetch('/upload/crash/end', { method: 'POST' });
  const state = await waitFor('the end of the stream', async () => {
    const answer = await system.fetch('/viewstream/metadata/crash?format=json');
    const view = (await answer.json()) as StreamView;
    return view.state === 'ended' ? view : undefined;
  });
  assert.ok(Math.abs(state.durationSeconds - SEGMENTS) < 0.1, String(state.durationSeconds));
  const all = await playlist(system);
  assert.equal(all.length, SEGMENTS);
  for (const earlier of listed) assert.deepEqual(all.slice(0, earlier.length), earlier);
});

async function postSegment(
  system: TestSystem,
  number: number,
  bytes: Buffer,
): Promise<Receipt | undefined> {
  const path = `/upload/crash?segment=${number}`;
  const answer = await system.fetch(path, { method: 'POST', body: new Uint8Array(bytes) });
  return answer.ok ? ((await answer.json()) as Receipt) : undefined;
}

async function playlist(system: TestSystem): Promise<string[]> {
  const answer = await system.fetch('/viewstream/metadata/crash/90p.m3u8');
  if (!answer.ok) return [];
  const { segments } = parseMediaWithHls(await answer.text());
  assert.ok(segments.every((segment) => !segment.gap));
  return segments.map((segment) => segment.uri);
}
