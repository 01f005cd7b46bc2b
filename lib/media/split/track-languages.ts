/** Languages of audio tracks that the demuxer of whole files does not tell. */

import { demuxSegment } from '../demux/demux.ts';
import { boxesAt, viewOf } from '../iso-boxes.ts';
import type { FileFormat, SourceFile } from './source-file.ts';

/** By what the container calls a track, its number counted from 0 in MOV; ISO 639-2 or BCP 47. */
export type TrackLanguages = ReadonlyMap<number, string>;

const HEAD_BYTES = 2 * 1024 * 1024;

/** Of MPEG-TS by PID, of QuickTime by the track's place among those of sound; empty where none are told. */
export async function trackLanguages(
  file: SourceFile,
  format: FileFormat,
  moov: Uint8Array | undefined,
): Promise<TrackLanguages> {
  if (moov) return new Map(quickTimeLanguages(moov).entries());
  if (format !== 'mpegts') return new Map();
  try {
    const head = await file.read(0, Math.min(file.sizeBytes, HEAD_BYTES));
    const { audio } = await demuxSegment(head);
    return new Map(audio.map(({ trackId, language }) => [trackId, language]));
  } catch {
    return new Map();
  }
}

/** Numbers below it are languages of the Macintosh (QuickTime File Format, "Language Code Values"). */
const FIRST_PACKED = 0x400;

function quickTimeLanguages(moov: Uint8Array): string[] {
  const sounds = boxesAt(moov, ['moov', 'trak']).filter(
    (trak) => boxesAt(moov, ['mdia', 'minf', 'smhd'], trak).length > 0,
  );
  return sounds.map((trak) => {
    const [mdhd] = boxesAt(moov, ['mdia', 'mdhd'], trak);
    const at = mdhd ? mdhd.bodyStart + (moov[mdhd.bodyStart] === 1 ? 32 : 20) : 0;
    if (!mdhd || at + 2 > mdhd.end) return 'und';
    const code = viewOf(moov).getUint16(at);
    if (code < FIRST_PACKED) return MACINTOSH[code] ?? 'und';
    return String.fromCharCode(...[10, 5, 0].map((shift) => 0x60 + ((code >> shift) & 0x1f)));
  });
}

const MACINTOSH =
  'eng fra deu ita nld swe spa dan por nor heb jpn ara fin ell isl mlt tur hrv zho urd hin tha kor lit pol hun est lav sme fao fas rus'.split(
    ' ',
  );
