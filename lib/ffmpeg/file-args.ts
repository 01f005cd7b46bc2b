/** Arguments of ffmpeg for whole files. */

/** What has to be encoded; the rest is copied. */
export type FileEncoding = Readonly<{ video: boolean; audio: boolean }>;

export type FileInput = Readonly<{
  /** Of `serveFile`. */
  url: string;
  /** Name of the demuxer. */
  format: string;
}>;

/** Of the encoded file: as far apart as its segments are long. */
const KEYFRAME_SECONDS = 2;

/** ffmpeg neither guesses the demuxer nor opens anything but this address, whatever stands in the file. */
const inputArgs = ({ url, format }: FileInput, options: readonly string[] = []): string[] => [
  ...['-max_error_rate', '1', ...options],
  ...['-protocol_whitelist', 'http,tcp', '-f', format, '-i', url],
];

/**
 * The file in codecs that segments carry, on standard output as it is made: each frame once and at its time,
 * sound without seams, nearly without loss. `fromSeconds`: of the file's clock.
 */
export function encodeFileArgs(
  input: FileInput,
  encoding: FileEncoding,
  options: Readonly<{ fromSeconds: number; maxAudioTracks: number; threads?: number }>,
): string[] {
  const { fromSeconds, maxAudioTracks, threads } = options;
  const tracks = Array.from({ length: maxAudioTracks }, (_, index) => ['-map', `0:a:${index}?`]);
  return [
    ...inputArgs(input, fromSeconds > 0 ? ['-ss', fromSeconds.toFixed(6)] : []),
    ...['-map', '0:V:0?', ...tracks.flat(), '-map_chapters', '-1'],
    ...(encoding.video ? videoArgs : ['-c:v', 'copy']),
    ...(encoding.audio ? ['-c:a', 'aac', '-b:a', '256k'] : ['-c:a', 'copy']),
    ...(threads === undefined ? [] : ['-threads', String(threads)]),
    ...['-fflags', '+bitexact', '-flags', '+bitexact', '-max_muxing_queue_size', '4096'],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof+delay_moov'],
    ...['-f', 'mp4', 'pipe:1'],
  ];
}

const videoArgs = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '10', '-bf', '0'],
  ...['-force_key_frames', `expr:gte(t,n_forced*${KEYFRAME_SECONDS})`, '-g', '100000'],
  ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-video_track_timescale', '90000'],
];

/** Chapters and other metadata, as text on standard output (`;FFMETADATA1`). Reads the header alone. */
export const chapterArgs = (input: FileInput): string[] => [
  ...inputArgs(input),
  ...['-map_chapters', '0', '-f', 'ffmetadata', 'pipe:1'],
];

/** Reports the streams of the file on standard error. */
export const listStreamsArgs = (input: FileInput): string[] => [
  ...[
    '-v',
    'info',
    ...inputArgs(input),
    '-map',
    '0:s?',
    '-c',
    'copy',
    '-t',
    '0',
    '-f',
    'null',
    '-',
  ],
];

/** Subtitles as WebVTT, with the times of the file. */
export const subtitleArgs = (
  input: FileInput,
  outputs: readonly Readonly<{ stream: number; path: string }>[],
): string[] => [
  ...inputArgs(input, ['-copyts']),
  ...outputs.flatMap(({ stream, path }) => [
    ...['-map', `0:${stream}`, '-c:s', 'webvtt', '-f', 'webvtt', path],
  ]),
];
