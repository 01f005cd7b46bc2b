/** Sources whose frames tell their number by black and white bars, and what reads it from pictures. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ffmpeg } from './ffmpeg.ts';

/** One a bit, the lowest on the left: numbers start over after 64. */
const BARS = 6;

/** A filter over any picture. */
export const NUMBERED = `geq=lum='if(mod(floor(N/pow(2,floor(X*${BARS}/W))),2),235,16)':cb=128:cr=128`;

/** Numbers of the frames of a file, be it video or a picture; of `columns` that stand side by side in each. */
export async function numbersIn(bytes: Uint8Array, columns = 1): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-numbers-'));
  try {
    const [file, raw] = [join(folder, 'pictures'), join(folder, 'gray')];
    writeFileSync(file, bytes);
    const bars = ['-vf', `scale=${BARS * columns}:1:flags=area`, '-pix_fmt', 'gray'];
    await ffmpeg(['-i', file, '-fps_mode', 'passthrough', ...bars, '-f', 'rawvideo', raw]);
    const bits = [...readFileSync(raw)].map((gray) => (gray > 127 ? 1 : 0));
    return Array.from({ length: bits.length / BARS }, (_, index) =>
      bits
        .slice(index * BARS, (index + 1) * BARS)
        .reduce<number>((sum, bit, at) => sum + bit * 2 ** at, 0),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
