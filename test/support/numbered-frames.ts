/** Sources whose frames tell their number by how bright they are, and what reads it from pictures. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ffmpeg } from './ffmpeg.ts';

const STEP = 4;
/** Frames until the brightness starts over. */
export const FRAME_NUMBERS = 54;

/** A filter over any picture. */
export const NUMBERED = `geq=lum='16+${STEP}*mod(N,${FRAME_NUMBERS})':cb=128:cr=128`;

/** Numbers of the frames that a file of pictures or video shows, from the upper left of each `columns`-th part. */
export async function numbersIn(bytes: Uint8Array, columns = 1): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-numbers-'));
  try {
    const [file, raw] = [join(folder, 'pictures'), join(folder, 'gray')];
    writeFileSync(file, bytes);
    const size = [
      '-vf',
      `scale=${columns}:1:flags=area`,
      '-pix_fmt',
      'gray',
      '-f',
      'rawvideo',
      raw,
    ];
    await ffmpeg(['-i', file, '-fps_mode', 'passthrough', ...size]);
    // Gray has the full range: 0 is black.
    return [...readFileSync(raw)].map((gray) => Math.round((gray * 219) / 255 / STEP));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
