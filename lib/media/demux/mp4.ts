/** Source segments in ISO BMFF: fragments (fMP4, CMAF) and self-contained MP4 or MOV files. */

import { BufferSource, Input, Logging, LogLevel, MP4, QTFF } from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { type Box, boxesIn, isoKind } from '../iso-boxes.ts';
import { type DemuxedSegment, type Demuxer, truncated } from './demuxed-segment.ts';
import { checkSampleTables } from './mp4-sample-tables.ts';
import { readAudioParameters, readTracks, readVideoParameters } from './mp4-tracks.ts';

// It writes to the console what it cannot read; what we refuse, we say ourselves.
Logging.level = LogLevel.Silent;

export const mp4: Demuxer = {
  formatName: 'MP4',
  recognizes: (bytes) => isoKind(bytes) !== undefined,
  read: readMp4,
};

/** Fragments behind their init segment; bytes that have a header of their own stay as they are. */
export const joinInit = (bytes: Uint8Array, init: Uint8Array | undefined): Uint8Array =>
  init && isoKind(bytes) === 'fragment' ? Buffer.concat([init, bytes]) : bytes;

async function readMp4(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment> {
  const types = new Set(checkBoxes(bytes).map(({ type }) => type));
  const isFragmented = types.has('moof');
  if (!types.has('moov') && !(init && isFragmented)) {
    throw isFragmented
      ? new DomainError(
          'missing_init',
          'The fragment came without its init segment.',
          'Send the init segment first (PUT /upload/{videoId}/init.mp4), or put it in front of each fragment.',
        )
      : new DomainError(
          'truncated_segment',
          `The MP4 has no moov box, only ${[...types].join(', ')}.`,
          'The file was not finished; wait for the encoder to close it, then send it whole.',
        );
  }
  if (!types.has('mdat')) {
    throw new DomainError(
      'undecodable',
      'The segment has no media data (mdat).',
      'This is an init segment; send it under its name (PUT /upload/{videoId}/init.mp4), not as a segment.',
    );
  }
  const whole = joinInit(bytes, init);
  const tracks = await withInput(
    whole,
    (input) => readTracks(input, whole),
    (reason) =>
      new DomainError(
        'undecodable',
        `The boxes of the MP4 contradict each other (${reason}).`,
        'The segment was damaged, or its muxer is broken; play it with ffplay to see.',
      ),
  );
  return { container: isFragmented ? 'fmp4' : 'mp4', ...tracks, notices: [] };
}

/** Throws DomainError: `unsupported_media`, `truncated_segment`, `undecodable`. */
export const checkInit = (bytes: Uint8Array): Promise<void> =>
  withInput(
    bytes,
    async (input) => {
      const [video] = await input.getVideoTracks();
      const audio = await input.getAudioTracks();
      if (video) await readVideoParameters(video);
      for (const track of audio) await readAudioParameters(track);
      if (!video && audio.length === 0) throw new Error('no track');
    },
    (reason) =>
      new DomainError(
        'undecodable',
        `The init segment cannot be read (${reason}).`,
        'Send the boxes ftyp and moov, whole, that the encoder writes before its fragments.',
      ),
  );

async function withInput<T>(
  bytes: Uint8Array,
  read: (input: Input) => Promise<T>,
  undecodable: (reason: string) => DomainError,
): Promise<T> {
  checkSampleTables(bytes);
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4, QTFF] });
  try {
    return await read(input);
  } catch (error) {
    throw error instanceof DomainError ? error : undecodable((error as Error).message);
  } finally {
    input.dispose();
  }
}

function checkBoxes(bytes: Uint8Array): Box[] {
  const boxes = [...boxesIn(bytes)];
  const last = boxes.at(-1);
  const end = last?.end ?? 0;
  if (end === bytes.byteLength) return boxes;
  throw truncated(
    end > bytes.byteLength
      ? `Box ${last?.type} ends at byte ${end}, the data at byte ${bytes.byteLength}.`
      : `After box ${last?.type}, ${bytes.byteLength - end} bytes are left over.`,
  );
}
