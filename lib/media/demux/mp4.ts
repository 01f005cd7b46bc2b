/** Source segments in ISO BMFF: fragments (fMP4, CMAF) and self-contained MP4 or MOV files. */

import { DomainError } from '../../domain/errors.ts';
import { isoKind } from '../iso-boxes.ts';
import { type DemuxedSegment, type Demuxer, truncated } from './demuxed-segment.ts';
import { type Mp4Boxes, readBoxes, undecodable } from './mp4-boxes.ts';
import { type IsolatedTrack, isolateAudio, makeAudio, makeVideo } from './mp4-media.ts';
import { checkTracks, selectTracks } from './mp4-select.ts';
import type { Mp4Source } from './mp4-track-samples.ts';

export const mp4: Demuxer = {
  formatName: 'MP4',
  recognizes: (bytes) => isoKind(bytes) !== undefined,
  read: readMp4,
};

async function readMp4(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment> {
  const source = openMp4(bytes, init);
  const { video, audio, notices } = await selectTracks(source);
  return {
    container: source.boxes.some(({ type }) => type === 'moof') ? 'fmp4' : 'mp4',
    ...(video && { video: makeVideo(bytes, video) }),
    audio: audio.map((track) => makeAudio(bytes, track)),
    notices,
  };
}

/** The tracks that are taken, each as a file of its own. Throws DomainError as demuxing does. */
export async function isolateTracks(
  bytes: Uint8Array,
  init?: Uint8Array,
): Promise<readonly IsolatedTrack[]> {
  const { video, audio } = await selectTracks(openMp4(bytes, init));
  return [
    ...(video ? [makeVideo(bytes, video).decoderInput()] : []),
    ...audio.map((track) => isolateAudio(bytes, track)),
  ];
}

function openMp4(bytes: Uint8Array, init: Uint8Array | undefined): Mp4Source {
  const { boxes, damage } = readBoxes(bytes);
  const types = new Set(boxes.map(({ type }) => type));
  const isFragmented = types.has('moof');
  const header = types.has('moov') ? bytes : init;
  const headerBoxes = header === bytes || !header ? boxes : readBoxes(header).boxes;
  const moov = headerBoxes.find(({ type }) => type === 'moov');
  if (!header || !moov || (header === init && !isFragmented)) {
    throw withoutHeader(types, isFragmented, damage);
  }
  if (types.has('mdat')) return { bytes, boxes, damage, header, moov };
  if (damage) throw truncated(damage);
  throw undecodable(
    'The segment has no media data (mdat).',
    'This is an init segment; send it under its name (PUT /upload/{videoId}/init.mp4), not as a segment.',
  );
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
