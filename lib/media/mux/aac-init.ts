/** The init segment of an AAC track: the same bytes for the same track parameters. */

import { box, fullBox, u16, u32 } from '../iso-boxes.ts';

export type AacTrack = Readonly<{
  /** AudioSpecificConfig. */
  config: Uint8Array;
  /** Also the time scale of the track. */
  sampleRateHz: number;
  channels: number;
}>;

const UNITY_MATRIX = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].flatMap(u32);
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
/** ISO 639-2 `und` in three times five bits; the language is in the playlist. */
const UNDETERMINED = 0x55c4;

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
  const sampleTable = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), entry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, zeros(8)),
    fullBox('stco', 0, 0, u32(0)),
  );
  const media = box(
    'mdia',
    fullBox('mdhd', 0, 0, zeros(8), u32(sampleRateHz), u32(0), u16(UNDETERMINED), u16(0)),
    fullBox('hdlr', 0, 0, zeros(4), Buffer.from('soun'), zeros(12), Buffer.from('SoundHandler\0')),
    box(
      'minf',
      fullBox('smhd', 0, 0, zeros(4)),
      box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
      sampleTable,
    ),
  );
  const trackHeader = fullBox(
    'tkhd',
    0,
    // Enabled, in the movie.
    3,
    [...zeros(8), ...u32(1), ...zeros(4), ...u32(0), ...zeros(8)],
    [...u16(0), ...u16(0), ...u16(0x0100), ...u16(0)],
    UNITY_MATRIX,
    zeros(8),
  );
  const movieHeader = fullBox(
    'mvhd',
    0,
    0,
    [...zeros(8), ...u32(1000), ...u32(0), ...u32(0x1_0000), ...u16(0x0100), ...zeros(10)],
    UNITY_MATRIX,
    zeros(24),
    u32(2),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from('iso6'), u32(0), Buffer.from('iso6cmfcmp41')),
    box(
      'moov',
      movieHeader,
      box('trak', trackHeader, media),
      box('mvex', fullBox('trex', 0, 0, u32(1), u32(1), zeros(12))),
    ),
  ]);
}

/** ISO/IEC 14496-1, 7.2.6; all lengths below 128, so one byte each. */
function elementaryStreamDescriptor(config: Uint8Array): Uint8Array {
  const specific = [0x05, config.byteLength, ...config];
  // 0x40, 0x15: MPEG-4 audio; an audio stream, not upstream.
  const decoder = [0x04, 13 + specific.length, 0x40, 0x15, ...zeros(3 + 4 + 4), ...specific];
  const sync = [0x06, 1, 0x02];
  const contents = [...u16(1), 0, ...decoder, ...sync];
  return fullBox('esds', 0, 0, [0x03, contents.length, ...contents]);
}
