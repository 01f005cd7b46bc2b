/** The command lines for ffmpeg. Pure: facts in, arguments out. */

import type { PlannedRung } from '../domain/ladder.ts';
import { PTS_WRAP_TICKS, TICKS_PER_SECOND } from '../domain/ticks.ts';

/**
 * Where the first picture of a segment is put. Far above zero: sources whose timestamps ffmpeg reads
 * early by their reordering stay positive.
 */
export const BASE_TICKS = 600 * TICKS_PER_SECOND;

/** Larger segments get a keyframe inside, so that seeking stays quick. */
const MAX_FRAMES_BETWEEN_KEYFRAMES = 600;

export type Picture = Readonly<{ widthPx: number; heightPx: number }>;

export type VideoJob = Readonly<{
  inputPath: string;
  /** MP4: pictures in front of its edit list's start are kept, as they are counted elsewhere. */
  isIso?: boolean;
  /** Display size of the source. */
  picture: Picture;
  /** First picture, in the container's time. */
  startTicks: number;
  /** Where pictures of a segment in front of it end, as ffmpeg reads their times; they are dropped. */
  dropBeforeTicks?: number;
  /** The stream does not say how its colours were made. */
  guessMatrix: boolean;
  outputs: readonly Readonly<{ rung: PlannedRung; path: string }>[];
  /** Of each encoder; all cores without it. */
  threads?: number;
}>;

/** One decode for all rungs; each becomes an init segment with a fragment of H.264. */
export function videoArgs(job: VideoJob): string[] {
  const { inputPath, outputs, threads } = job;
  const threadArgs = threads === undefined ? [] : ['-threads', String(threads)];
  return [
    ...threadArgs,
    ...(job.isIso ? ['-ignore_editlist', '1'] : []),
    ...['-copyts', '-i', inputPath, '-filter_complex', filterGraph(job)],
    ...outputs.flatMap(({ rung, path }, index) => [
      ...['-map', `[v${index}]`, ...threadArgs],
      ...encoderArgs(rung),
      path,
    ]),
  ];
}

function filterGraph(job: VideoJob): string {
  const { outputs } = job;
  const splits = outputs.map((_, index) => `[s${index}]`).join('');
  const scaled = outputs.map(
    ({ rung }, index) => `[s${index}]${rungFilters(rung, job)}[v${index}]`,
  );
  return [`[0:v:0]${sourceFilters(job)},split=${outputs.length}${splits}`, ...scaled].join(';');
}

/**
 * Times become ticks from the first picture on, whatever the container's time base and however the
 * 33-bit clock wraps. Two pictures never get one time. Interlaced pictures become whole ones.
 */
function sourceFilters({ startTicks, dropBeforeTicks }: VideoJob): string {
  const relative = `mod(PTS-${startTicks}+${PTS_WRAP_TICKS + BASE_TICKS},${PTS_WRAP_TICKS})`;
  const drop =
    dropBeforeTicks === undefined
      ? []
      : [`trim=start_pts=${BASE_TICKS + dropBeforeTicks - startTicks}`];
  return [
    'settb=1/90000',
    `setpts='if(isnan(PREV_OUTPTS),${relative},max(PREV_OUTPTS+1,${relative}))'`,
    ...drop,
    'yadif=deint=interlaced',
    'settb=1/90000',
  ].join(',');
}

const HD_HEIGHT_PX = 720;

/** Fits the picture into the rung; what is left of the rung stays black. */
function rungFilters({ widthPx, heightPx }: PlannedRung, job: VideoJob): string {
  const inner = fitInto(job.picture, { widthPx, heightPx });
  // ffmpeg takes what does not say for BT.601; players, and most encoders, take HD for BT.709.
  const isHd = Math.min(job.picture.widthPx, job.picture.heightPx) >= HD_HEIGHT_PX;
  const matrix = job.guessMatrix ? `:in_color_matrix=${isHd ? 'bt709' : 'smpte170m'}` : '';
  const fits = inner.widthPx === widthPx && inner.heightPx === heightPx;
  return [
    `scale=${inner.widthPx}:${inner.heightPx}${matrix}:out_color_matrix=bt709:out_range=tv`,
    ...(fits ? [] : [`pad=${widthPx}:${heightPx}:-1:-1`]),
    'setsar=1',
    'format=yuv420p',
  ].join(',');
}

/** Deviations in shape that come from rounding to even sizes, and nobody sees. */
const SAME_SHAPE_PX = 2;

/** Size of the picture inside the frame: all of it if their shapes agree. */
export function fitInto(picture: Picture, frame: Picture): Picture {
  const scale = Math.min(frame.widthPx / picture.widthPx, frame.heightPx / picture.heightPx);
  const widthPx = picture.widthPx * scale;
  const heightPx = picture.heightPx * scale;
  if (frame.widthPx - widthPx <= SAME_SHAPE_PX && frame.heightPx - heightPx <= SAME_SHAPE_PX) {
    return { widthPx: frame.widthPx, heightPx: frame.heightPx };
  }
  return { widthPx: toEven(widthPx), heightPx: toEven(heightPx) };
}

const toEven = (px: number): number => Math.max(2, 2 * Math.round(px / 2));

/** Everything that the init segment depends on is fixed here, so that all segments share one. */
function encoderArgs({ level, maxrateBps }: PlannedRung): string[] {
  const keyframes = String(MAX_FRAMES_BETWEEN_KEYFRAMES);
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-level', level],
    ...['-crf', '23', '-maxrate', String(maxrateBps), '-bufsize', String(maxrateBps)],
    // Half full: segments that were encoded apart then keep to the rate when they follow one another.
    ...['-rc_init_occupancy', String(Math.round(maxrateBps / 2))],
    ...['-g', keyframes, '-keyint_min', keyframes, '-sc_threshold', '0'],
    ...['-x264-params', 'stitchable=1'],
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    ...['-video_track_timescale', '90000'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-color_range', 'tv', '-fflags', '+bitexact', '-flags:v', '+bitexact'],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...['-movflags', '+cmaf+frag_discont+skip_trailer', '-f', 'mp4'],
  ];
}

export type AudioJob = Readonly<{
  inputPath: string;
  /** Name of the demuxer. */
  format: string;
  sampleRateHz: number;
  channels: number;
  bitrateBps: number;
  /** Samples of silence in front of what is decoded, or to be cut off it when negative. */
  padSamples: number;
  /** Stretches of decoded audio that stand for lost packets. */
  mutedSeconds: readonly Readonly<{ start: number; end: number }>[];
  /** What the decoder leaves out is filled with silence. Touches the samples, so only where it does. */
  fillsHoles: boolean;
}>;

/** Decodes and encodes audio; ADTS on standard output. */
export function audioArgs(job: AudioJob): string[] {
  const { inputPath, format, sampleRateHz, channels, bitrateBps, padSamples, mutedSeconds } = job;
  const filters = [
    ...(job.fillsHoles ? ['aresample=async=1:min_hard_comp=0.005:first_pts=0'] : []),
    ...mutedSeconds.map(({ start, end }) => `volume=0:enable='between(t,${start},${end})'`),
    ...(padSamples < 0 ? [`atrim=start_sample=${-padSamples}`, 'asetpts=N/SR/TB'] : []),
    ...(padSamples > 0 ? [`adelay=${padSamples}S:all=1`] : []),
  ];
  return [
    ...['-f', format, '-i', inputPath, '-map', '0:a:0'],
    ...(filters.length > 0 ? ['-af', filters.join(',')] : []),
    ...['-c:a', 'aac', '-b:a', String(bitrateBps), '-ar', String(sampleRateHz)],
    ...['-ac', String(channels), '-fflags', '+bitexact', '-flags:a', '+bitexact'],
    ...['-f', 'adts', 'pipe:1'],
  ];
}

/** Only decodes, to tell a source that cannot be decoded from a machine that cannot encode. */
export const decodeArgs = (inputPath: string): string[] => [
  ...['-i', inputPath, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framecrc', 'pipe:1'],
];
