/** What a whole file is, by its first bytes and its header. It is read by ranges, and never as a whole. */

import { DomainError } from '../../domain/errors.ts';
import { describeFormat } from '../demux/demux.ts';
import { isTransportStream } from '../demux/mpegts-packets.ts';
import { type Box, boxesAt, boxesIn, isoKind, viewOf } from '../iso-boxes.ts';

/** `read`: bytes from `start` up to `end`, both within the file. */
export type SourceFile = Readonly<{
  sizeBytes: number;
  read(start: number, end: number): Promise<Uint8Array>;
}>;

/** Names of ffmpeg's demuxers, which it is never left to guess. */
export type FileFormat = 'mov' | 'matroska' | 'mpegts' | 'avi';

export const FILE_FORMATS = 'MP4, MOV, WebM, MKV, MPEG-TS or AVI';
const HINT = `Send the file as ${FILE_FORMATS}; ffmpeg converts others: ffmpeg -i FILE OUT.mp4.`;

const HEAD_BYTES = 4096;
const MATROSKA = '\x1a\x45\xdf\xa3';

/** Throws DomainError `empty_body` and `unsupported_media`. */
export async function fileFormat(file: SourceFile): Promise<FileFormat> {
  const head = await file.read(0, Math.min(file.sizeBytes, HEAD_BYTES));
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith(MATROSKA)) return 'matroska';
  if (/^RIFF[\s\S]{4}AVI /.test(text)) return 'avi';
  if (isTransportStream(head)) return 'mpegts';
  if (isoKind(head) !== undefined) return 'mov';
  throw new DomainError('unsupported_media', `The file is ${describeFormat(head)}.`, HINT);
}

/** Of a header; larger ones are left to the demuxer. Ten hours have about 60 MB. */
const MAX_MOOV_BYTES = 128 * 1024 * 1024;
/** A fragmented file has its header in front of its fragments, any other a few boxes only. */
const MAX_TOP_BOXES = 1000;

/** The box `moov`, wherever it lies; undefined: it is too large to be read as a whole, or not there. */
export async function readMoov(file: SourceFile): Promise<Uint8Array | undefined> {
  for (let at = 0, count = 0; at + 8 <= file.sizeBytes && count < MAX_TOP_BOXES; count += 1) {
    const head = await file.read(at, Math.min(file.sizeBytes, at + 16));
    const [box] = [...boxesIn(head)];
    if (!box) return undefined;
    // Of 0: up to the end of the file.
    const size = viewOf(head).getUint32(0) === 0 ? file.sizeBytes - at : box.end;
    if (box.type === 'moov') {
      const isWhole = at + size <= file.sizeBytes && size <= MAX_MOOV_BYTES;
      return isWhole ? file.read(at, at + size) : undefined;
    }
    if (size < 8) return undefined;
    at += size;
  }
  return undefined;
}

/** Throws DomainError `unsupported_media`. */
export function refuseEncrypted(moov: Uint8Array): void {
  const entries = boxesAt(moov, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']).flatMap(
    (stsd) => [...boxesIn(moov, stsd.bodyStart + 8, stsd.end)],
  );
  if (entries.some(({ type }) => type === 'encv' || type === 'enca')) throw encrypted();
}

export const encrypted = (): DomainError =>
  new DomainError(
    'unsupported_media',
    'The file is encrypted.',
    'Send it without copy protection: Rivulet has no key for it.',
  );

/**
 * Whether what is shown is more than one stretch of the media from some frame on: our splitter does not
 * do such edits, ffmpeg does.
 */
export function isEdited(moov: Uint8Array): boolean {
  const isFragmented = boxesAt(moov, ['moov', 'mvex']).length > 0;
  const [mvhd] = boxesAt(moov, ['moov', 'mvhd']);
  const movieTimescale = mvhd ? clockOf(moov, mvhd).timescale : 1;
  return boxesAt(moov, ['moov', 'trak']).some((trak) => {
    const [elst] = boxesAt(moov, ['edts', 'elst'], trak);
    const [mdhd] = boxesAt(moov, ['mdia', 'mdhd'], trak);
    if (!elst || !mdhd || boxesAt(moov, ['mdia', 'minf', 'vmhd'], trak).length === 0) return false;
    const edits = editsOf(moov, elst).filter(({ mediaTime }) => mediaTime >= 0);
    const [only, second] = edits;
    if (second || !only) return second !== undefined;
    const { timescale, duration } = clockOf(moov, mdhd);
    const shownUpTo = only.mediaTime / timescale + only.duration / movieTimescale;
    const isCut = only.duration > 0 && shownUpTo < duration / timescale - CUT_TOLERANCE_SECONDS;
    return only.rate !== 1 || (isCut && !isFragmented);
  });
}

/** Of a frame: what rounding to the movie's clock may take from the last one. */
const CUT_TOLERANCE_SECONDS = 0.02;
const MAX_EDITS = 1000;

/** Of `mvhd` or `mdhd`, which begin alike. */
function clockOf(bytes: Uint8Array, { bodyStart, end }: Box) {
  const view = viewOf(bytes);
  const isLong = bytes[bodyStart] === 1;
  if (end < bodyStart + (isLong ? 32 : 20)) return { timescale: 1, duration: 0 };
  const timescale = view.getUint32(bodyStart + (isLong ? 20 : 12)) || 1;
  const duration = isLong
    ? Number(view.getBigUint64(bodyStart + 24))
    : view.getUint32(bodyStart + 16);
  return { timescale, duration };
}

function editsOf(bytes: Uint8Array, { bodyStart, end }: Box) {
  const view = viewOf(bytes);
  const isLong = bytes[bodyStart] === 1;
  const size = isLong ? 20 : 12;
  const count = Math.min(MAX_EDITS, Math.floor((end - bodyStart - 8) / size));
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const at = bodyStart + 8 + index * size;
    const duration = isLong ? Number(view.getBigUint64(at)) : view.getUint32(at);
    const mediaTime = isLong ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
    return { duration, mediaTime, rate: view.getInt16(at + size - 4) };
  });
}
