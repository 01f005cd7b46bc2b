/** Takes a source segment apart, in whichever format it came, or names the format that is refused. */

import { DomainError } from '../../domain/errors.ts';
import type { SourceFormat } from '../../domain/media-format.ts';
import { removeClockSteps } from './clock-steps.ts';
import type { DemuxedSegment, Demuxer } from './demuxed-segment.ts';
import { mp4 } from './mp4.ts';
import { mpegTs } from './mpegts.ts';

const DEMUXERS: Readonly<Record<SourceFormat, Demuxer>> = { ts: mpegTs, mp4, fmp4: mp4 };

/**
 * Steps of the encoder's clock are taken out. `init`: for fragments whose init segment came apart. Throws DomainError: `empty_body`,
 * `unsupported_media`, and what the format's demuxer throws.
 */
export async function demuxSegment(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment> {
  const demuxer = findDemuxer(bytes);
  if (demuxer) return removeClockSteps(await demuxer.read(bytes, init));
  const { name, hint } = describeUnsupported(bytes);
  throw new DomainError('unsupported_media', `The body is ${name}.`, hint);
}

/** A name of the format, to follow "This is". Throws `empty_body`. */
export const describeFormat = (bytes: Uint8Array): string =>
  findDemuxer(bytes)?.formatName ?? describeUnsupported(bytes).name;

function findDemuxer(bytes: Uint8Array): Demuxer | undefined {
  if (bytes.byteLength === 0) {
    throw new DomainError(
      'empty_body',
      'The body has no bytes.',
      'Send the segment as the body of the request.',
    );
  }
  return Object.values(DEMUXERS).find((demuxer) => demuxer.recognizes(bytes));
}

const DEFAULT_HINT = 'Send segments as MPEG-TS, fragmented MP4 or MP4 (ffmpeg: -f hls).';
const WEBM_HINT =
  'Send MPEG-TS or fragmented MP4; in a browser use MediaRecorder with video/mp4, or mediabunny.';

/** First bytes as Latin-1, or a pattern of them; the first that fits counts. */
const SIGNATURES: readonly (readonly [sign: string | RegExp, name: string, hint?: string])[] = [
  ['\x1a\x45\xdf\xa3', 'WebM or Matroska', WEBM_HINT],
  ['\xff\xd8\xff', 'a JPEG picture'],
  ['\x89PNG', 'a PNG picture'],
  ['GIF8', 'a GIF picture'],
  ['ID3', 'bare MP3 without a container'],
  ['OggS', 'Ogg'],
  ['RIFF', 'a RIFF file (WAV, AVI or WebP)'],
  ['FLV', 'FLV'],
  ['\x1f\x8b', 'compressed with gzip'],
  [/^\xff[\xf0\xf1\xf8\xf9]/, 'bare AAC without a container'],
  [/^\xff[\xe2-\xfb]/, 'bare MP3 without a container'],
  [/#EXTM3U/, 'a playlist'],
];

/** `name` follows "The body is". */
function describeUnsupported(bytes: Uint8Array): Readonly<{ name: string; hint: string }> {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  const found = SIGNATURES.find(([sign]) =>
    typeof sign === 'string' ? head.startsWith(sign) : sign.test(head),
  );
  if (found) return { name: found[1], hint: found[2] ?? DEFAULT_HINT };
  const isText = /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(head) && !/[\x80-\x9f]{3}/.test(head);
  if (isText) return { name: 'text', hint: DEFAULT_HINT };
  return { name: 'of an unknown format', hint: `${DEFAULT_HINT} Encrypted ones cannot be read.` };
}
