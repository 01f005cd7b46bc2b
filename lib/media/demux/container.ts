/** Tells containers apart by their first bytes. */

import { DomainError } from '../../domain/errors.ts';
import { TS_PACKET_BYTES } from './transport-stream.ts';

export type Container = 'ts' | 'iso' | keyof typeof REFUSED;

const REFUSED = {
  m2ts: 'an M2TS stream with packets of 192 bytes',
  matroska: 'WebM or Matroska',
  jpeg: 'a JPEG picture',
  png: 'a PNG picture',
  gif: 'a GIF picture',
  adts: 'bare AAC without a container',
  mp3: 'bare MP3 without a container',
  ogg: 'Ogg',
  riff: 'a RIFF file (WAV, AVI or WebP)',
  flv: 'FLV',
  playlist: 'a playlist',
  gzip: 'compressed with gzip',
  text: 'text',
  unknown: 'of no media format that we know',
} as const;

const SIGNATURES: readonly (readonly [Container, string])[] = [
  ['matroska', '\x1a\x45\xdf\xa3'],
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG'],
  ['gif', 'GIF8'],
  ['mp3', 'ID3'],
  ['ogg', 'OggS'],
  ['riff', 'RIFF'],
  ['flv', 'FLV'],
  ['gzip', '\x1f\x8b'],
];

/** What a segment or init segment in ISO BMFF may begin with. */
const ISO_FIRST_BOXES: ReadonlySet<string> = new Set([
  'ftyp',
  'styp',
  'moof',
  'moov',
  'sidx',
  'emsg',
  'prft',
  'mdat',
  'free',
  'skip',
  'wide',
  'uuid',
]);

/** Throws `empty_body`. */
export function recognizeContainer(bytes: Uint8Array): Container {
  if (bytes.byteLength === 0) {
    throw new DomainError(
      'empty_body',
      'The body has no bytes.',
      'Send the segment as the body of the request.',
    );
  }
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  if (head[0] === 'G' && (bytes.byteLength < 189 || bytes[TS_PACKET_BYTES] === 0x47)) return 'ts';
  if (head[4] === 'G' && bytes[4 + 192] === 0x47) return 'm2ts';
  if (ISO_FIRST_BOXES.has(head.slice(4, 8))) return 'iso';
  const signed = SIGNATURES.find(([, signature]) => head.startsWith(signature));
  if (signed) return signed[0];
  if (/^\xff[\xf0\xf1\xf8\xf9]/.test(head)) return 'adts';
  if (/^\xff[\xe2-\xfb]/.test(head)) return 'mp3';
  if (head.includes('#EXTM3U')) return 'playlist';
  return /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(head) && !/[\x80-\x9f]{3}/.test(head)
    ? 'text'
    : 'unknown';
}

export const describeContainer = (container: Container): string =>
  container === 'ts' ? 'MPEG-TS' : container === 'iso' ? 'MP4' : REFUSED[container];
