/** What posters, thumbnails and keyframes cost beside the ladder that they come from, in CPU time. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_LADDER, planLadder } from '../../lib/domain/ladder.ts';
import { thumbnailColumns } from '../../lib/domain/pictures/thumbnails.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import {
  posterSize,
  thumbnailSize,
  type VideoJob,
  videoArgs,
} from '../../lib/ffmpeg/transcode-args.ts';
import type { Figure } from './report.ts';
import { makeSource, withSurroundings } from './surroundings.ts';

const SECONDS = 2;
const PICTURE = { widthPx: 1920, heightPx: 1080, framesPerSecond: 30 };
/** With and without, in alternation: A B B A, as often as that. */
const ROUNDS = 3;

/** A poster with each segment, which in a stream only one in half a minute has. Keyframes cost nothing. */
export const measureStills = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder }) => {
    const inputPath = join(folder, 'segment.ts');
    const options = { size: '1920x1080', seconds: SECONDS, kbps: 6000, keyframeEvery: 60 };
    await makeSource(inputPath, options);
    const ladder: VideoJob = {
      ...{ inputPath, format: 'mpegts', frame: PICTURE, guessMatrix: true },
      startTicks: 1.4 * TICKS_PER_SECOND,
      framesPerSecond: PICTURE.framesPerSecond,
      outputs: planLadder(DEFAULT_LADDER, PICTURE).map((rung) => {
        return { rung, path: join(folder, `${rung.name}.mp4`) };
      }),
    };
    const durationTicks = SECONDS * TICKS_PER_SECOND;
    const withStills: VideoJob = {
      ...ladder,
      poster: { ...posterSize(PICTURE), path: join(folder, 'poster.jpg') },
      thumbnails: {
        ...thumbnailSize(PICTURE),
        columns: thumbnailColumns(durationTicks, 1),
        boundsTicks: [0, durationTicks],
        path: join(folder, 'thumbnails-%d.jpg'),
      },
    };
    const seconds = { alone: 0, with: 0 };
    await cpuSeconds(ladder);
    for (let round = 0; round < ROUNDS; round += 1) {
      seconds.alone += await cpuSeconds(ladder);
      seconds.with += (await cpuSeconds(withStills)) + (await cpuSeconds(withStills));
      seconds.alone += await cpuSeconds(ladder);
    }
    const { alone } = seconds;
    return [
      { name: 'ladder of 2 s of 1080p30, CPU s', value: alone / (2 * ROUNDS) },
      { name: 'CPU of the ladder with stills : without', value: seconds.with / alone },
    ];
  });

/** As ffmpeg itself counts it. */
async function cpuSeconds(job: VideoJob): Promise<number> {
  const args = ['-nostdin', '-v', 'info', '-benchmark', '-y', ...videoArgs(job)];
  const { stderr } = await promisify(execFile)('ffmpeg', args, { maxBuffer: 1 << 26 });
  const [, user, system] = stderr.match(/utime=([\d.]+)s stime=([\d.]+)s/) ?? [];
  return Number(user) + Number(system);
}
