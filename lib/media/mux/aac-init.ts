/** The init segment of an AAC track: the same bytes for the same track parameters. */

import { box, fullBox, u16, u32 } from '../iso-boxes.ts';
import { writeTrackInit } from './track-init.ts';

export type AacTrack = Readonly<{
  /** AudioSpecificConfig. */
  config: Uint8Array;
  /** Also the time scale of the track. */
  sampleRateHz: number;
  channels: number;
}>;

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** CMAF header of the track (ISO/IEC 23000-19, 7.3.1); its time scale is the sample rate. */
export function aacInit({ config, sampleRateHz, channels }: AacTrack): Uint8Array {
  const entry = box(
    'mp4a',
    zeros(6),
    u16(1),
    zeros(8),
    [...u16(channels), ...u16(16), ...zeros(4)],
    // 16.16 fixed point; higher rates do not fit; AudioSpecificConfig has them.
    [...u16(sampleRateHz < 0x1_0000 ? sampleRateHz : 0), ...u16(0)],
    elementaryStreamDescriptor(config),
  );
  return writeTrackInit({
    brands: ['iso6', 'cmfc', 'mp41'],
    timescale: sampleRateHz,
    kind: 'audio',
    sampleDescription: fullBox('stsd', 0, 0, u32(1), entry),
  });
}

/** ISO/IEC 14496-1, 7.2.6. */
function elementaryStreamDescriptor(config: Uint8Array): Uint8Array {
  const specific = descriptor(0x05, config);
  // 0x40, 0x15: MPEG-4 audio; an audio stream, not upstream.
  const decoder = descriptor(0x04, [0x40, 0x15, ...zeros(3 + 4 + 4), ...specific]);
  const sync = descriptor(0x06, [0x02]);
  return fullBox('esds', 0, 0, descriptor(0x03, [...u16(1), 0, ...decoder, ...sync]));
}

/** Lengths have seven bits to the byte, the highest first (ISO/IEC 14496-1, 8.3.3). */
function descriptor(tag: number, contents: ArrayLike<number>): number[] {
  const length = [contents.length & 0x7f];
  for (let rest = contents.length >> 7; rest > 0; rest >>= 7) length.unshift(0x80 | (rest & 0x7f));
  return [tag, ...length, ...Array.from(contents)];
}
