/** Sample descriptions (`stsd`, ISO/IEC 14496-12, 8.5.2): which codec a track has, and what decoders need of it. */

import { box, boxesIn, u16, u32, viewOf } from '../iso-boxes.ts';
import { childAt, type Mp4Box } from './mp4-boxes.ts';

export type TrackKind = 'video' | 'audio' | 'data';

export type SampleDescription = Readonly<{
  /** Type of the sample entry, e.g. `avc1`. */
  format: string;
  /** Of an encrypted entry: the scheme, or `''` when it is not named. */
  encryption?: string;
  /** Audio entries may have QuickTime's fields; those of ISO never do (`stsd` of version 1). */
  isQuickTime: boolean;
  /** Start and end of the entry. */
  start: number;
  end: number;
}>;

/** `index` counts from 1. undefined: the track has no such entry, or it is cut. */
export function readSampleDescription(
  bytes: Uint8Array,
  trak: Mp4Box,
  index: number,
): SampleDescription | undefined {
  const stsd = childAt(trak, 'mdia', 'minf', 'stbl', 'stsd');
  if (!stsd) return undefined;
  let number = 0;
  for (const entry of boxesIn(bytes, stsd.bodyStart + 8, stsd.end)) {
    if (entry.end > stsd.end) return undefined;
    if (++number < index) continue;
    const { type: format, start, end } = entry;
    const encryption = ENCRYPTED.has(format) ? schemeOf(bytes, start, end) : undefined;
    const isQuickTime = bytes[stsd.bodyStart] === 0;
    return { format, start, end, isQuickTime, ...(encryption !== undefined && { encryption }) };
  }
  return undefined;
}

/** ISO/IEC 14496-12, 8.12, and Apple's. */
const ENCRYPTED: ReadonlySet<string> = new Set(['encv', 'enca', 'encu', 'drmi', 'drms']);

/** `scheme_type` of the first `schm` in an entry (8.12.5); it lies in `sinf`, behind fields that vary. */
function schemeOf(bytes: Uint8Array, start: number, end: number): string {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 4096));
  const at = entry.indexOf('schm');
  const scheme = at < 0 ? '' : entry.toString('latin1', at + 8, at + 12);
  return /^[a-z0-9]{4}$/i.test(scheme) ? scheme : '';
}

/** Boxes of a sample entry that decoders need; what else stands there is left out. */
const CONFIGURATION: ReadonlySet<string> = new Set([
  ...['avcC', 'hvcC', 'vpcC', 'av1C', 'colr', 'pasp', 'fiel'],
  ...['esds', 'dOps', 'dac3', 'dec3'],
]);
const VISUAL_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;
/** QuickTime's versions of audio entries have more fields; `wave` holds the boxes that belong to them. */
const QUICKTIME_AUDIO_BYTES: Readonly<Record<number, number>> = { 1: 16, 2: 36 };

/** A `stsd` of one entry with its known fields and boxes alone. undefined: the entry is cut. */
export function writeSampleDescription(
  bytes: Uint8Array,
  kind: TrackKind,
  { format, isQuickTime, start, end }: SampleDescription,
): Uint8Array | undefined {
  const bodyStart = start + 8;
  const version =
    kind === 'audio' && bodyStart + 10 <= end ? viewOf(bytes).getUint16(bodyStart + 8) : 0;
  const fieldsEnd =
    bodyStart +
    (kind === 'video' ? VISUAL_ENTRY_BYTES : AUDIO_ENTRY_BYTES) +
    (isQuickTime ? (QUICKTIME_AUDIO_BYTES[version] ?? 0) : 0);
  if (fieldsEnd > end) return undefined;
  const fields = Uint8Array.from(bytes.subarray(bodyStart, fieldsEnd));
  // data_reference_index: the file that the entry is written into has one.
  fields.set(u16(1), 6);
  if (kind === 'audio' && !isQuickTime) fields.set(u16(0), 8);
  const boxes = new Map<string, Uint8Array>();
  const collect = (from: number, to: number): void => {
    for (const child of boxesIn(bytes, from, to)) {
      if (child.end > to) return;
      if (child.type === 'wave' && to === end) collect(child.bodyStart, child.end);
      else if (CONFIGURATION.has(child.type) && !boxes.has(child.type)) {
        boxes.set(child.type, bytes.subarray(child.start, child.end));
      }
    }
  };
  collect(fieldsEnd, end);
  return box('stsd', u32(0), u32(1), box(format, fields, ...boxes.values()));
}

/** Sample entries of codecs that are taken. `mp4a` may hold others than AAC and MP3. */
export const KNOWN_FORMATS: Readonly<Record<TrackKind, ReadonlySet<string>>> = {
  video: new Set(['avc1', 'avc3', 'hvc1', 'hev1', 'vp09', 'av01']),
  audio: new Set(['mp4a', 'Opus', 'ac-3', 'ec-3']),
  data: new Set(),
};

/** Pictures beside the media, such as covers; never a reason to refuse a segment. */
export const PICTURE_FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png ']);

const named = (name: string, ...formats: readonly string[]) =>
  formats.map((format) => [format, name] as const);

/** Names of those that are not taken. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...named('PCM', 'sowt', 'twos', 'lpcm', 'raw ', 'NONE', 'in24', 'in32', 'fl32', 'fl64'),
  ...named('PCM', 'ipcm', 'fpcm'),
  ...named('G.711', 'ulaw', 'alaw'),
  ...named('ALAC', 'alac'),
  ...named('APAC', 'apac'),
  ...named('FLAC', 'fLaC'),
  ...named('AMR', 'samr', 'sawb'),
  ...named('DTS', 'dtsc', 'dtsh', 'dtsl', 'dtse', 'dtsx'),
  ...named('AC-4', 'ac-4'),
  ...named('MPEG-H audio', 'mha1', 'mhm1'),
  ...named('MPEG-4 visual', 'mp4v'),
  ...named('H.263', 's263', 'h263', 'H263'),
  ...named('H.266', 'vvc1', 'vvi1'),
  ...named('Dolby Vision', 'dvh1', 'dvhe', 'dvav', 'dva1'),
  ...named('ProRes', 'apch', 'apcn', 'apcs', 'apco', 'ap4h', 'ap4x'),
  ...named('Motion JPEG', 'jpeg', 'mjpa', 'mjpb'),
  ...named('PNG', 'png '),
  ...named('timecode', 'tmcd'),
  ...named('metadata', 'mebx', 'mett', 'metx', 'urim', 'gpmd', 'camm'),
  ...named('hints', 'rtp ', 'srtp', 'rtsp'),
  ...named('text', 'text', 'tx3g', 'c608', 'c708', 'wvtt', 'stpp', 'sbtt', 'stxt', 'mp4s'),
]);

/** e.g. `PCM (sowt)`. */
export function nameFormat(format: string): string {
  const printable = /^[\x20-\x7e]{4}$/.test(format) ? format.trim() : 'unnamed';
  const name = NAMES.get(format);
  return name ? `${name} (${printable})` : `"${printable}"`;
}
