/** From "upload finished" to "listed in the playlist", beyond what ffmpeg alone needs for the segment. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bareLadder } from './bare-ladder.ts';
import { type Figure, quantile } from './report.ts';
import {
  bareFfmpeg,
  cutSource,
  makeSource,
  uploadFile,
  warmUp,
  withSurroundings,
} from './surroundings.ts';

const SEGMENTS = 30;
const SEGMENT_SECONDS = 2;
const POLL_MS = 5;
const PICTURE = { widthPx: 1280, heightPx: 720, framesPerSecond: 30 };

export const measureDelay = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder, start }) => {
    const source = join(folder, 'source.ts');
    const seconds = SEGMENTS * SEGMENT_SECONDS;
    await makeSource(source, { size: '1280x720', seconds, kbps: 4000, keyframeEvery: 60 });
    await mkdir(join(folder, 'cut'));
    const files = await cutSource(source, join(folder, 'cut'), SEGMENT_SECONDS);
    const system = await start();
    if (files[0] !== undefined) await warmUp(system, files[0]);
    const playlistUrl = `${system.url}/viewstream/metadata/live/720p.m3u8`;
    const delays: number[] = [];
    const bareTimes: number[] = [];
    for (const [number, file] of files.entries()) {
      const bareMs = await bareFfmpeg(bareLadder(file, folder, PICTURE));
      await uploadFile(system, file, `/upload/live?segment=${number}`);
      const uploadedMs = performance.now();
      // Asking takes a part of the cores that the encoder is using: not before it can be done.
      await pause(bareMs * 0.8);
      while (!(await lists(playlistUrl, number))) await pause(POLL_MS);
      const listedMs = performance.now() - uploadedMs;
      // Before and after: whatever else the machine does in between shows in both.
      const againMs = await bareFfmpeg(bareLadder(file, folder, PICTURE));
      delays.push(listedMs - (bareMs + againMs) / 2);
      bareTimes.push(bareMs, againMs);
    }
    return [
      { name: 'bare ffmpeg, 2 s of 720p30, median ms', value: quantile(bareTimes, 0.5) },
      { name: 'delay over bare ffmpeg, median ms', value: quantile(delays, 0.5) },
      { name: 'delay over bare ffmpeg, p95 ms', value: quantile(delays, 0.95) },
    ];
  });

async function lists(playlistUrl: string, number: number): Promise<boolean> {
  const answer = await fetch(playlistUrl);
  const text = await answer.text();
  return answer.ok && text.includes(`/1-${String(number).padStart(10, '0')}-`);
}
