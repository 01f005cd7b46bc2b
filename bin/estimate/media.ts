/** Sources for the estimate, and the CPU time of transcoding them. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { planLadder, type Rung } from '../../lib/domain/ladder.ts';
import { findFfmpeg } from '../../lib/ffmpeg/find.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { transcodeSegment } from '../../lib/media/transcode-segment.ts';

/** Small: the operations of a segment do not depend on its resolution. */
export const SOURCE_PX = { width: 320, height: 180 };

type SourceOptions = Readonly<{ segments: number; segmentSeconds: number; languages: number }>;

/** MPEG-TS segments of moving, noisy video and tones. */
export async function makeSource(
  folder: string,
  { segments, segmentSeconds, languages }: SourceOptions,
  { width, height } = SOURCE_PX,
): Promise<Uint8Array[]> {
  const path = join(folder, `source-${height}`);
  await mkdir(path, { recursive: true });
  const seconds = segments * segmentSeconds;
  const frames = String(Math.round(30 * segmentSeconds));
  const audio = Array.from({ length: languages }, (_, index) => index);
  await promisify(execFile)(await findFfmpeg(), [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=30`],
    ...audio.flatMap((index) => ['-f', 'lavfi', '-i', sine(330 + index * 110)]),
    ...['-map', '0:v', '-vf', 'noise=alls=10:allf=t'],
    ...audio.flatMap((index) => ['-map', `${index + 1}:a`]),
    ...['-t', String(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
    ...['-g', frames, '-keyint_min', frames, '-sc_threshold', '0', '-c:a', 'aac', '-ac', '2'],
    ...['-f', 'segment', '-segment_time', String(segmentSeconds), '-segment_format', 'mpegts'],
    join(path, '%04d.ts'),
  ]);
  const names = (await readdir(path)).sort().slice(0, segments);
  return Promise.all(names.map(async (name) => new Uint8Array(await readFile(join(path, name)))));
}

const sine = (hertz: number): string => `sine=frequency=${hertz}:sample_rate=48000`;

/** Long enough that starting ffmpeg weighs no more than in a stream. */
const MAX_CALIBRATION_SECONDS = 4;

/**
 * CPU seconds, of ffmpeg and of this process, that one second of media takes in these rungs: one
 * segment of noisy video at the largest rung's size goes through the worker's transcoding.
 */
export async function measureCpuSeconds(
  ladder: readonly Rung[],
  segmentSeconds: number,
  languages: number,
): Promise<number> {
  const seconds = Math.min(segmentSeconds, MAX_CALIBRATION_SECONDS);
  const height = Math.max(...ladder.map(({ shortSidePx }) => shortSidePx));
  const size = { width: 2 * Math.round((height * 16) / 18), height };
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-estimate-'));
  try {
    const options = { segments: 1, segmentSeconds: seconds, languages };
    const [segment] = await makeSource(folder, options, size);
    if (!segment) throw new Error('ffmpeg made no source to measure with.');
    const { facts } = await inspectSegment(segment);
    const before = cpuSecondsSoFar();
    await transcodeSegment({
      segment,
      facts,
      timestampOffsetTicks: 0,
      rungs: facts.video ? planLadder(ladder, facts.video) : [],
      audioTracks: facts.audio,
      wantsThumbnails: true,
      workFolder: folder,
      signal: new AbortController().signal,
    });
    return (cpuSecondsSoFar() - before) / seconds;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Only Linux counts children that have ended; its clock ticks are hundredths on every platform. */
const TICKS_PER_SECOND = 100;

function cpuSecondsSoFar(): number {
  let stat: string;
  try {
    stat = readFileSync('/proc/self/stat', 'utf8');
  } catch (error) {
    const hint = 'can be measured on Linux only; give --cpu-seconds instead.';
    throw new Error(`The CPU time of ffmpeg ${hint}`, { cause: error });
  }
  // utime, stime, cutime, cstime: fields 14 to 17; the second is a name in parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / TICKS_PER_SECOND, 0);
}
