/** Source segments in ISO BMFF: fragments (fMP4, CMAF) and self-contained MP4 or MOV files. */

import { DomainError } from '../../domain/errors.ts';
import { isoKind } from '../iso-boxes.ts';
import { type DemuxedSegment, type Demuxer, truncated } from './demuxed-segment.ts';
import { type Mp4Boxes, readBoxes, undecodable } from './mp4-boxes.ts';
import { checkTracks, readTracks } from './mp4-select.ts';

export const mp4: Demuxer = {
  formatName: 'MP4',
  recognizes: (bytes) => isoKind(bytes) !== undefined,
  read: readMp4,
};

/** Fragments behind their init segment; bytes that have a header of their own stay as they are. */
export const joinInit = (bytes: Uint8Array, init: Uint8Array | undefined): Uint8Array =>
  init && isoKind(bytes) === 'fragment' ? Buffer.concat([init, bytes]) : bytes;

async function readMp4(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment> {
  const { boxes, damage } = readBoxes(bytes);
  const types = new Set(boxes.map(({ type }) => type));
  const isFragmented = types.has('moof');
  const header = types.has('moov') ? bytes : init;
  const headerBoxes = header === bytes || !header ? boxes : readBoxes(header).boxes;
  const moov = headerBoxes.find(({ type }) => type === 'moov');
  if (!header || !moov || (header === init && !isFragmented)) {
    throw withoutHeader(types, isFragmented, damage);
  }
  if (!types.has('mdat')) {
    if (damage) throw truncated(damage);
    throw undecodable(
      'The segment has no media data (mdat).',
      'This is an init segment; send it under its name (PUT /upload/{videoId}/init.mp4), not as a segment.',
    );
  }
  const tracks = await readTracks({ bytes, boxes, damage, header, moov });
  return { container: isFragmented ? 'fmp4' : 'mp4', ...tracks };
}

function withoutHeader(
  types: ReadonlySet<string>,
  isFragmented: boolean,
  damage: Mp4Boxes['damage'],
): DomainError {
  if (isFragmented) {
    return new DomainError(
      'missing_init',
      'The fragment came without its init segment.',
      'Send the init segment first (PUT /upload/{videoId}/init.mp4), or put it in front of each fragment.',
    );
  }
  if (damage) return truncated(damage);
  return new DomainError(
    'truncated_segment',
    `The MP4 has no moov box, only ${[...types].slice(0, MAX_NAMED_TYPES).join(', ')}.`,
    'The file was not finished; wait for the encoder to close it, then send it whole.',
  );
}

const MAX_NAMED_TYPES = 8;

/** Throws DomainError: `unsupported_media`, `undecodable`. */
export async function checkInit(bytes: Uint8Array): Promise<void> {
  const { boxes, damage = 'it has no moov box' } = readBoxes(bytes);
  const moov = boxes.find(({ type }) => type === 'moov');
  if (moov) return checkTracks(bytes, moov);
  throw undecodable(
    `The init segment cannot be read (${damage}).`,
    'Send the boxes ftyp and moov, whole, that the encoder writes before its fragments.',
  );
}
