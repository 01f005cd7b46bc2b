/** A whole file through the whole system, upload to playable, against one ffmpeg over the file. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bareLadder } from './bare-ladder.ts';
import { type Figure, quantile } from './report.ts';
import {
  bareFfmpeg,
  cutSource,
  makeSource,
  type Surroundings,
  uploadFile,
  waitForEnd,
  warmUp,
  withSurroundings,
} from './surroundings.ts';

const SECONDS = 60;
const SEGMENT_SECONDS = 4;
const ROUNDS = 3;
const PARALLEL_UPLOADS = 4;
const PICTURE = { widthPx: 1920, heightPx: 1080, framesPerSecond: 30 };

export const measureThroughput = (): Promise<Figure[]> =>
  withSurroundings(async (surroundings) => {
    const { folder } = surroundings;
    const source = join(folder, 'source.ts');
    await makeSource(source, {
      size: '1920x1080',
      seconds: SECONDS,
      kbps: 6000,
      keyframeEvery: 120,
    });
    await mkdir(join(folder, 'cut'));
    const files = await cutSource(source, join(folder, 'cut'), SEGMENT_SECONDS);
    const ratios: number[] = [];
    const bareTimes: number[] = [];
    const systemTimes: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const bareMs = await bareFfmpeg(bareLadder(source, folder, PICTURE));
      const systemMs = await throughSystem(surroundings, files);
      bareTimes.push(bareMs);
      systemTimes.push(systemMs);
      ratios.push(bareMs / systemMs);
    }
    return [
      { name: 'one-pass ffmpeg, 60 s of 1080p30, s', value: quantile(bareTimes, 0.5) / 1000 },
      { name: 'whole system, the same, s', value: quantile(systemTimes, 0.5) / 1000 },
      { name: 'throughput, ratio to one-pass ffmpeg', value: quantile(ratios, 0.5) },
    ];
  });

async function throughSystem({ start }: Surroundings, files: readonly string[]): Promise<number> {
  const system = await start();
  if (files[0] !== undefined) await warmUp(system, files[0]);
  const startMs = performance.now();
  const rest = [...files.entries()];
  const first = rest.shift();
  if (first) await uploadFile(system, first[1], `/upload/film?segment=${first[0]}`);
  const sender = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) {
      await uploadFile(system, next[1], `/upload/film?segment=${next[0]}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, sender));
  await system.fetch('/upload/film/end', { method: 'POST' });
  await waitForEnd(system, 'film');
  const tookMs = performance.now() - startMs;
  await system.kill('SIGTERM');
  return tookMs;
}
