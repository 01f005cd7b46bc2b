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

/** Of times that were counted in ticks: the frame that begins there must not be passed over. */
const ROUNDING_SECONDS = 1e-5;

/** ffmpeg neither guesses the demuxer nor opens anything but this address, whatever stands in the file. */
const inputArgs = ({ url, format }: FileInput, options: readonly string[] = []): string[] => [
  ...['-max_error_rate', '1', ...options],
  ...['-protocol_whitelist', 'http,tcp', '-f', format, '-i', url],
];

/**
 * The file in codecs that segments carry, on standard output as it is made: each frame once and at its time,
 * sound without seams, nearly without loss. `fromSeconds`: of `clock`; the times are counted from there.
 */
export function encodeFileArgs(
  input: FileInput,
  encoding: FileEncoding,
  options: Readonly<{
    fromSeconds: number;
    clock: 'zero' | 'start';
    maxAudioTracks: number;
    threads?: number;
  }>,
): string[] {
  const { fromSeconds, clock, maxAudioTracks, threads } = options;
  const seekSeconds = Math.max(0, fromSeconds - ROUNDING_SECONDS).toFixed(6);
  const seek = ['-seek_timestamp', clock === 'zero' ? '1' : '0', '-ss', seekSeconds];
  const tracks = Array.from({ length: maxAudioTracks }, (_, index) => ['-map', `0:a:${index}?`]);
  return [
    ...inputArgs(input, fromSeconds > 0 ? seek : []),
    ...['-map', '0:V:0?', ...tracks.flat(), '-map_chapters', '-1'],
    ...(encoding.video ? videoArgs : ['-c:v', 'copy']),
    ...(encoding.audio ? audioArgs : ['-c:a', 'copy']),
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

/** Those that AAC has a name for: others are told as the nearest of them. */
const CHANNEL_LAYOUTS = ['mono', 'stereo', '3.0', '4.0', '5.0', '5.1', '7.1'];

const audioArgs = [
  ...['-c:a', 'aac', '-b:a', '256k'],
  ...['-filter:a', `aformat=channel_layouts=${CHANNEL_LAYOUTS.join('|')}`],
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

/** Subtitles as WebVTT. `clock`: what its times are counted from. */
export const subtitleArgs = (
  input: FileInput,
  outputs: readonly Readonly<{ stream: number; path: string }>[],
  { clock, maxBytes }: Readonly<{ clock: 'zero' | 'start'; maxBytes: number }>,
): string[] => [
  ...inputArgs(input, clock === 'zero' ? ['-copyts'] : []),
  ...outputs.flatMap(({ stream, path }) => [
    ...['-map', `0:${stream}`, '-c:s', 'webvtt', '-fs', String(maxBytes), '-f', 'webvtt', path],
  ]),
];
