/** The ffmpeg command that a person would run by hand: the same ladder with the same settings. */

import { join } from 'node:path';
import { DEFAULT_LADDER, planLadder, type SourcePicture } from '../../lib/domain/ladder.ts';
import { videoArgs } from '../../lib/ffmpeg/transcode-args.ts';

export function bareLadder(inputPath: string, folder: string, picture: SourcePicture): string[] {
  const rungs = planLadder(DEFAULT_LADDER, picture);
  return [
    ...videoArgs({
      inputPath,
      format: 'mpegts',
      frame: picture,
      startTicks: 0,
      framesPerSecond: picture.framesPerSecond,
      guessMatrix: true,
      outputs: rungs.map((rung) => ({ rung, path: join(folder, `bare-${rung.name}.mp4`) })),
    }),
    ...['-map', '0:a', '-c:a', 'copy', '-bsf:a', 'aac_adtstoasc'],
    join(folder, 'bare-audio.mp4'),
  ];
}
