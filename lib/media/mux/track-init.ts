/** The header of a file of one track (ISO/IEC 14496-12), whose samples follow in fragments. */

import { type BoxContent, box, fullBox, u16, u32 } from '../iso-boxes.ts';

export type TrackInit = Readonly<{
  brands: readonly string[];
  timescale: number;
  /** `vmhd` or `smhd`, with the handler that goes with it. */
  kind: 'video' | 'audio';
  /** `stsd`. */
  sampleDescription: BoxContent;
  /** `tkhd` with the track_ID 1; left out: of a track without a picture. */
  trackHeader?: BoxContent;
  /** ISO 639-2 in three times five bits; left out: undetermined, as playlists say it. */
  packedLanguage?: number;
}>;

export const UNITY_MATRIX = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].flatMap(u32);
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
/** `und`. */
const UNDETERMINED = 0x55c4;
const MOVIE_TIMESCALE = 1000;

/** Of a track: its handler, and the media header that goes with it. */
export const MEDIA_HANDLERS = {
  audio: { type: 'soun', name: 'SoundHandler', header: fullBox('smhd', 0, 0, zeros(4)) },
  video: { type: 'vide', name: 'VideoHandler', header: fullBox('vmhd', 0, 1, zeros(8)) },
} as const;

/** `ftyp` and `moov`; the same bytes for the same track. */
export function writeTrackInit(track: TrackInit): Uint8Array {
  const handler = MEDIA_HANDLERS[track.kind];
  const sampleTable = box(
    'stbl',
    track.sampleDescription,
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, zeros(8)),
    fullBox('stco', 0, 0, u32(0)),
  );
  const media = box(
    'mdia',
    fullBox(
      'mdhd',
      0,
      0,
      [...zeros(8), ...u32(track.timescale), ...u32(0)],
      u16(track.packedLanguage ?? UNDETERMINED),
      u16(0),
    ),
    fullBox(
      'hdlr',
      0,
      0,
      zeros(4),
      Buffer.from(handler.type),
      zeros(12),
      Buffer.from(`${handler.name}\0`),
    ),
    box(
      'minf',
      handler.header,
      box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
      sampleTable,
    ),
  );
  const movieHeader = fullBox(
    'mvhd',
    0,
    0,
    [...zeros(8), ...u32(MOVIE_TIMESCALE), ...u32(0), ...u32(0x1_0000)],
    [...u16(0x0100), ...zeros(10)],
    UNITY_MATRIX,
    zeros(24),
    u32(2),
  );
  const [majorBrand = ''] = track.brands;
  return Buffer.concat([
    box('ftyp', Buffer.from(majorBrand), u32(0), Buffer.from(track.brands.join(''))),
    box(
      'moov',
      movieHeader,
      box('trak', track.trackHeader ?? audioTrackHeader(), media),
      box('mvex', fullBox('trex', 0, 0, u32(1), u32(1), zeros(12))),
    ),
  ]);
}

const audioTrackHeader = (): Uint8Array =>
  fullBox(
    'tkhd',
    0,
    // Enabled, in the movie.
    3,
    [...zeros(8), ...u32(1), ...zeros(4), ...u32(0), ...zeros(8)],
    [...u16(0), ...u16(0), ...u16(0x0100), ...u16(0)],
    UNITY_MATRIX,
    zeros(8),
  );
