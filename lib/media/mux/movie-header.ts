/** The header of a movie (ISO/IEC 14496-12): `ftyp` and `moov`, with the tables of all samples. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { type BoxContent, box, fullBox, u16, u32, u64 } from '../iso-boxes.ts';
import { packLanguage } from './language-code.ts';
import type { SampleTables } from './sample-tables.ts';
import { MEDIA_HANDLERS, UNITY_MATRIX } from './track-init.ts';

export type MovieTrack = Readonly<{
  kind: 'video' | 'audio';
  timescale: number;
  /** `stsd`. */
  sampleDescription: BoxContent;
  /** BCP 47; left out: undetermined. */
  language?: string | undefined;
  /** Of a picture. */
  widthPx?: number;
  heightPx?: number;
  /** Of tracks of one kind one is played, and the others are to choose from. */
  isDefault: boolean;
  /** How much of its media lies before the movie begins, in its time scale. Asked when the movie is finished. */
  skippedTicks(): number;
}>;

type TrackWithTables = Readonly<{ track: MovieTrack; tables: SampleTables }>;

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const BRANDS = ['isom', 'iso2', 'avc1', 'mp41'];
const MAX_U32 = 0xffff_ffff;

/** `fileOffset`: of the first sample; `isLarge`: offsets have 64 bits. */
export function movieHeader(
  tracks: readonly TrackWithTables[],
  durationTicks: number,
  fileOffset: number,
  isLarge: boolean,
): Uint8Array {
  return Buffer.concat([
    box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from(BRANDS.join(''))),
    box(
      'moov',
      timedBox('mvhd', 0, u32(TICKS_PER_SECOND), durationTicks, [
        ...[...u32(0x1_0000), ...u16(0x0100), ...zeros(10)],
        ...[...UNITY_MATRIX, ...zeros(24), ...u32(tracks.length + 1)],
      ]),
      ...tracks.map((one, index) => {
        const table = one.tables.box(one.track.sampleDescription, fileOffset, isLarge);
        return trackBox(one, index + 1, durationTicks, table);
      }),
    ),
  ]);
}

/** A full box that begins with two times, some words, and a duration; with 64 bits where 32 are too few. */
function timedBox(
  type: string,
  flags: number,
  words: readonly number[],
  duration: number,
  rest: readonly number[],
): Uint8Array {
  return duration > MAX_U32
    ? fullBox(type, 1, flags, zeros(16), words, u64(duration), rest)
    : fullBox(type, 0, flags, zeros(8), words, u32(duration), rest);
}

const ENABLED = 1;
const IN_MOVIE = 2;

function trackBox(
  { track, tables }: TrackWithTables,
  trackId: number,
  durationTicks: number,
  sampleTable: Uint8Array,
): Uint8Array {
  const { kind, timescale, language, widthPx = 0, heightPx = 0, isDefault } = track;
  const handler = MEDIA_HANDLERS[kind];
  const isAudio = kind === 'audio';
  const flags = IN_MOVIE | (isDefault ? ENABLED : 0);
  const mediaHeader = timedBox('mdhd', 0, u32(timescale), tables.endTicks, [
    ...u16(packLanguage(language)),
    ...u16(0),
  ]);
  return box(
    'trak',
    timedBox('tkhd', flags, [...u32(trackId), ...zeros(4)], durationTicks, [
      // Tracks of one alternate group are to choose from.
      ...[...zeros(8), ...u16(0), ...u16(isAudio ? 1 : 0), ...u16(isAudio ? 0x0100 : 0), ...u16(0)],
      ...[...UNITY_MATRIX, ...u32(widthPx * 0x1_0000), ...u32(heightPx * 0x1_0000)],
    ]),
    box('edts', editList(durationTicks, track.skippedTicks())),
    box(
      'mdia',
      mediaHeader,
      fullBox(
        'hdlr',
        ...([0, 0] as const),
        ...[zeros(4), Buffer.from(handler.type), zeros(12), Buffer.from(`${handler.name}\0`)],
      ),
      ...(language ? [fullBox('elng', 0, 0, Buffer.from(`${language}\0`))] : []),
      box(
        'minf',
        handler.header,
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        sampleTable,
      ),
    ),
  );
}

/** One edit: all of the movie, from where it begins in the media. */
const editList = (durationTicks: number, mediaTicks: number): Uint8Array =>
  durationTicks > MAX_U32
    ? fullBox('elst', 1, 0, u32(1), u64(durationTicks), u64(mediaTicks), u32(0x1_0000))
    : fullBox('elst', 0, 0, u32(1), u32(durationTicks), u32(mediaTicks), u32(0x1_0000));
