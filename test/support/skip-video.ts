/** Video that is small in bytes and large in pictures: one that is all of one colour, then copies of it. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ffmpeg } from './ffmpeg.ts';

/** Exp-Golomb (H.264, 9.1). */
const ue = (value: number): string => {
  const bits = (value + 1).toString(2);
  return '0'.repeat(bits.length - 1) + bits;
};

/** With the stop bit and emulation prevention (H.264, 7.3.1). */
function unit(header: readonly number[], fields: readonly string[]): Buffer {
  const bits = fields.join('');
  const whole = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0');
  const bytes = [...header];
  let zeros = 0;
  for (let at = 0; at < whole.length; at += 8) {
    const byte = Number.parseInt(whole.slice(at, at + 8), 2);
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from([0, 0, 0, 1, ...bytes]);
}

/** H.264 baseline in MPEG-TS, sides in macroblocks of 16 pixels. */
export async function skipVideo(
  widthMbs: number,
  heightMbs: number,
  frames: number,
  rate: number,
): Promise<Uint8Array> {
  const size = widthMbs * heightMbs;
  const sps = [ue(0), ue(0), ue(2), ue(1), '0', ue(widthMbs - 1), ue(heightMbs - 1), '1100'];
  const pps = [ue(0), ue(0), '00', ue(0), ue(0), ue(0), '000', ue(0), ue(0), ue(0), '000'];
  // I_16x16 with DC prediction and without residual, for each macroblock.
  const idr = [ue(0), ue(7), ue(0), '0000', ue(0), '00', ue(0), '00100111'.repeat(size)];
  const skips = Array.from({ length: frames - 1 }, (_, index) => {
    const frameNumber = ((index + 1) % 16).toString(2).padStart(4, '0');
    return unit([0x61], [ue(0), ue(5), ue(0), frameNumber, '000', ue(0), ue(size)]);
  });
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-skip-'));
  try {
    const [raw, made] = [join(folder, 'raw.h264'), join(folder, 'made.ts')];
    const head = [unit([0x67, 66, 0, 62], sps), unit([0x68], pps), unit([0x65], idr)];
    await writeFile(raw, Buffer.concat([...head, ...skips]));
    await ffmpeg(['-f', 'h264', '-framerate', String(rate), '-i', raw, '-c', 'copy', made]);
    return new Uint8Array(await readFile(made));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
