/** Inspection at upload: what a segment of four times the length takes beside a short one. */

import { inspectSegment } from '../../lib/media/inspect.ts';
import { makeSegments } from '../support/media.ts';
import { type Figure, quantile } from './report.ts';

const ROUNDS = 41;
const SHORT_SECONDS = 2;
const TIMES = 4;
/** Noise: the segments are large for their number of frames. */
const BUSY = { size: '640x360', filter: 'noise=alls=60:allf=t', videoArgs: ['-qp', '34'] } as const;

export async function measureInspection(): Promise<Figure[]> {
  const [short, long] = await Promise.all([
    makeSegment(SHORT_SECONDS),
    makeSegment(SHORT_SECONDS * TIMES),
  ]);
  const times = { short: [] as number[], long: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.short.push(await timeInspection(short));
    times.long.push(await timeInspection(long));
  }
  const [shortMs, longMs] = [quantile(times.short, 0.5), quantile(times.long, 0.5)];
  const note = `${(long.byteLength / 1e6).toFixed(1)} MB`;
  return [
    { name: 'inspection, median ms', value: longMs, note },
    {
      name: 'inspection, per byte of a long segment : a short one',
      value: longMs / long.byteLength / (shortMs / short.byteLength),
    },
  ];
}

async function makeSegment(seconds: number): Promise<Uint8Array> {
  const { segments } = await makeSegments({ ...BUSY, seconds, hlsTime: seconds });
  if (!segments[0]) throw new Error('ffmpeg made no segment to measure with.');
  return segments[0].bytes;
}

async function timeInspection(bytes: Uint8Array): Promise<number> {
  const startMs = performance.now();
  await inspectSegment(bytes);
  return performance.now() - startMs;
}
