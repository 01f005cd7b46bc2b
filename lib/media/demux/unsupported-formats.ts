/** Names the formats that are refused, so that the error says what came instead of a segment. */

const DEFAULT_HINT = 'Send segments as MPEG-TS, fragmented MP4 or MP4 (ffmpeg: -f hls).';
const WEBM_HINT =
  'Send MPEG-TS or fragmented MP4; in a browser use MediaRecorder with video/mp4, or mediabunny.';

/** First bytes as Latin-1, or a pattern of them; the first that fits counts. */
const SIGNATURES: readonly (readonly [sign: string | RegExp, name: string, hint?: string])[] = [
  [/^.{4}G.{191}G/s, 'an M2TS stream with packets of 192 bytes'],
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
export function describeUnsupported(bytes: Uint8Array): Readonly<{ name: string; hint: string }> {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  const found = SIGNATURES.find(([sign]) =>
    typeof sign === 'string' ? head.startsWith(sign) : sign.test(head),
  );
  if (found) return { name: found[1], hint: found[2] ?? DEFAULT_HINT };
  const isText = /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(head) && !/[\x80-\x9f]{3}/.test(head);
  return { name: isText ? 'text' : 'of an unknown format', hint: DEFAULT_HINT };
}
