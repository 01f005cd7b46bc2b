/**
 * The picture of a segment that came without it, in a run that has one: black, so that its sound is heard.
 * Players that find a gap in every variant stop, give up the variants, or skip the sound beside it.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedRung } from '../../domain/ladder.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { blackArgs } from '../../ffmpeg/transcode-args.ts';
import type { DemuxedFrame } from '../demux/demuxed-segment.ts';
import { parseCmaf } from '../mux/cmaf.ts';
import type { EncodedPicture } from './video-renditions.ts';

export type MissingPicture = Readonly<{
  startTicks: number;
  endTicks: number;
  framesPerSecond: number;
  rungs: readonly PlannedRung[];
  /** Where the segment is cut: ticks from its start. */
  keyframesAtTicks: readonly number[];
  threads?: number | undefined;
  folder: string;
  signal: AbortSignal;
}>;

export async function encodeBlack(job: MissingPicture): Promise<EncodedPicture> {
  const { startTicks, endTicks, framesPerSecond, rungs, folder, signal } = job;
  const frameTicks = TICKS_PER_SECOND / framesPerSecond;
  const count = Math.max(1, Math.round((endTicks - startTicks) / frameTicks));
  const frames = Array.from({ length: count }, (_, index): DemuxedFrame => {
    return { ptsTicks: startTicks + Math.round(index * frameTicks) };
  });
  const outputs = rungs.map((rung, index) => ({ rung, path: join(folder, `v${index}.mp4`) }));
  const { keyframesAtTicks, threads } = job;
  const args = blackArgs({ outputs, framesPerSecond, frames: count, keyframesAtTicks, threads });
  await runFfmpeg({ args, signal });
  const encoded = outputs.map(async ({ rung, path }) => {
    const { init, samples } = parseCmaf(await readFile(path));
    return { rung, init, samples, isRepeated: false };
  });
  return { rungs: await Promise.all(encoded), frames, startTicks, framesPerSecond };
}
