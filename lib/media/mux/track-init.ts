/** The header of a file (ISO/IEC 14496-12) whose samples follow in fragments. */

import { type BoxContent, box, fullBox, u16, u32 } from '../iso-boxes.ts';

export type TrackInit = Readonly<{
  timescale: number;
  /** `vmhd` or `smhd`, with the handler that goes with it. */
  kind: 'video' | 'audio';
  /** `stsd`. */
  sampleDescription: BoxContent;
  /** `edts`; left out: all is shown as it lies. */
  edits?: BoxContent;
  /** `tkhd` with the track's number; left out: of a track without a picture. */
  trackHeader?: BoxContent;
  /** ISO 639-2 in three times five bits; left out: undetermined, as playlists say it. */
  packedLanguage?: number;
}>;

export const UNITY_MATRIX = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].flatMap(u32);
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
/** `und`. */
const UNDETERMINED = 0x55c4;
export const MOVIE_TIMESCALE = 1000;

/** Of a track: its handler, and the media header that goes with it. */
export const MEDIA_HANDLERS = {
  audio: { type: 'soun', name: 'SoundHandler', header: fullBox('smhd', 0, 0, zeros(4)) },
  video: { type: 'vide', name: 'VideoHandler', header: fullBox('vmhd', 0, 1, zeros(8)) },
} as const;

/** `ftyp` and `moov` of one track; the same bytes for the same track. */
export const writeTrackInit = ({
  brands,
  ...track
}: TrackInit & Readonly<{ brands: readonly string[] }>): Uint8Array =>
  writeMovieInit(brands, [track]);

/** Of several tracks, whose track_IDs count from 1. */
export function writeMovieInit(
  brands: readonly string[],
  tracks: readonly TrackInit[],
): Uint8Array {
  const movieHeader = fullBox(
    'mvhd',
    0,
    0,
    [...zeros(8), ...u32(MOVIE_TIMESCALE), ...u32(0), ...u32(0x1_0000)],
    [...u16(0x0100), ...zeros(10)],
    UNITY_MATRIX,
    zeros(24),
    u32(tracks.length + 1),
  );
  const [majorBrand = ''] = brands;
  const extended = tracks.map((_, index) =>
    fullBox('trex', 0, 0, u32(index + 1), u32(1), zeros(12)),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from(majorBrand), u32(0), Buffer.from(brands.join(''))),
    box(
      'moov',
      movieHeader,
      ...tracks.map((track, index) => writeTrack(track, index + 1)),
      box('mvex', ...extended),
    ),
  ]);
}

function writeTrack(track: TrackInit, trackId: number): Uint8Array {
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
  const header = track.trackHeader ?? audioTrackHeader(trackId);
  return box('trak', header, ...(track.edits ? [track.edits] : []), media);
}

const audioTrackHeader = (trackId: number): Uint8Array =>
  fullBox(
    'tkhd',
    0,
    // Enabled, in the movie.
    3,
    [...zeros(8), ...u32(trackId), ...zeros(4), ...u32(0), ...zeros(8)],
    [...u16(0), ...u16(0), ...u16(0x0100), ...u16(0)],
    UNITY_MATRIX,
    zeros(8),
  );
