/** The worker's command lines for ffmpeg. Pure: facts in, arguments out. */

import { even, type PlannedRung } from '../domain/ladder.ts';
import { MAX_POSTER_PX } from '../domain/pictures/poster.ts';
import { MAX_THUMBNAIL_PX } from '../domain/pictures/thumbnails.ts';
import { PTS_WRAP_TICKS, TICKS_PER_SECOND, ticksToSeconds } from '../domain/ticks.ts';
import { inputArgs } from './input-args.ts';
import { vp9Args } from './webm-args.ts';

/**
 * Where the first frame of a segment is put. Far above zero: sources whose timestamps ffmpeg reads
 * early by their reordering stay positive.
 */
export const BASE_TICKS = 600 * TICKS_PER_SECOND;

/** ffmpeg takes the first frame from a time on for a keyframe, and rounds the time to microseconds. */
const KEYFRAME_EARLY_TICKS = TICKS_PER_SECOND / 1000;

/** Longer segments get a keyframe inside, so that seeking stays quick. */
const MAX_FRAMES_BETWEEN_KEYFRAMES = 600;

export type FrameSize = Readonly<{ widthPx: number; heightPx: number }>;

/** Frames come at a constant rate, the last one up to the end. */
export type FrameRepeats = Readonly<{ perSecond: number; durationTicks: number }>;

export type VideoJob = Readonly<{
  inputPath: string;
  /** Name of its demuxer. */
  format: string;
  /** Display size of the source. */
  frame: FrameSize;
  /** First frame, as ffmpeg reads its time. */
  startTicks: number;
  framesPerSecond: number;
  /** Where the frames of a segment in front of it end, as ffmpeg reads their times; they are dropped. */
  dropBeforeTicks?: number | undefined;
  /** Frames that begin in these are dropped, too; `to` is the first tick behind. */
  dropRanges?: readonly Readonly<{ from: number; to: number }>[] | undefined;
  /** The size of the picture changes among the frames. */
  changesSize?: boolean | undefined;
  /** The stream does not name its colour matrix. */
  guessMatrix: boolean;
  /** Filters that make an ordinary picture of one of high dynamic range. */
  toneMapping?: string | undefined;
  /** Where keyframes stand besides the first, from the first frame on. */
  keyframesAtTicks?: readonly number[] | undefined;
  repeats?: FrameRepeats | undefined;
  outputs: readonly Readonly<{ rung: PlannedRung; path: string }>[];
  /** H.264 if it is left out. */
  codec?: 'vp9' | undefined;
  /** Constant rate factor; left out: that of all renditions. The init segment does not depend on it. */
  quality?: number | undefined;
  /** The first picture as a JPEG file of this size. */
  poster?: (FrameSize & Readonly<{ path: string }>) | undefined;
  thumbnails?: ThumbnailJob | undefined;
  /** Of each encoder; all cores without it. */
  threads?: number | undefined;
}>;

/** A JPEG file for each part of the segment, with small pictures side by side. */
export type ThumbnailJob = FrameSize &
  Readonly<{
    /** Where the parts begin and end: ticks from the segment's first frame, the first 0. */
    boundsTicks: readonly number[];
    /** Of each file: frames at equal distances from the part's beginning on. */
    columns: number;
    /** With `%d` for the part, from 0 on. */
    path: string;
  }>;

export type BlackVideoJob = OutputJob & Readonly<{ frames: number }>;

type OutputJob = Pick<
  VideoJob,
  'framesPerSecond' | 'keyframesAtTicks' | 'outputs' | 'codec' | 'threads' | 'quality'
>;

/** The same for a picture that never came. */
export function blackArgs({ frames, ...job }: BlackVideoJob): string[] {
  const { framesPerSecond } = job;
  const times = `settb=1/${TICKS_PER_SECOND},setpts='${BASE_TICKS}+round(N*${TICKS_PER_SECOND}/${framesPerSecond})'`;
  const sources = job.outputs.map(
    ({ rung: { widthPx, heightPx } }, index) =>
      `color=black:s=${widthPx}x${heightPx}:r=${framesPerSecond},trim=end_frame=${frames},${times},setsar=1,format=yuv420p[v${index}]`,
  );
  return ['-filter_complex', sources.join(';'), ...outputArgs(job)];
}

/** One decode for all rungs; each becomes an init segment with a fragment of H.264. */
export function videoArgs(job: VideoJob): string[] {
  return [
    ...threadArgs(job),
    ...inputArgs(job.format, job.inputPath, ['-copyts']),
    ...['-filter_complex', filterGraph(job)],
    ...outputArgs(job),
    ...posterArgs(job),
    ...thumbnailArgs(job),
  ];
}

/** 20 to 60 kB at 640x360. */
const POSTER_QUALITY = '4';

/** The raw muxer writes the picture alone. */
const posterArgs = ({ poster }: VideoJob): string[] =>
  poster ? [...jpegArgs('[poster]', POSTER_QUALITY), '-f', 'mjpeg', poster.path] : [];

/** 3 to 9 kB a picture. */
const THUMBNAIL_QUALITY = '6';

const thumbnailArgs = ({ thumbnails }: VideoJob): string[] =>
  thumbnails
    ? [
        ...jpegArgs('[thumbnails]', THUMBNAIL_QUALITY),
        ...['-f', 'image2', '-start_number', '0', thumbnails.path],
      ]
    : [];

/** Without passthrough a picture would be repeated from time zero on. */
const jpegArgs = (label: string, quality: string): string[] => [
  ...['-map', label, '-c:v', 'mjpeg', '-q:v', quality, '-threads', '1'],
  ...['-fps_mode', 'passthrough', '-fflags', '+bitexact', '-flags:v', '+bitexact'],
];

const threadArgs = ({ threads }: Pick<VideoJob, 'threads'>): string[] =>
  threads === undefined ? [] : ['-threads', String(threads)];

function outputArgs(job: OutputJob): string[] {
  const times = (job.keyframesAtTicks ?? []).map((ticks) =>
    ticksToSeconds(BASE_TICKS + ticks - KEYFRAME_EARLY_TICKS).toFixed(6),
  );
  const keyframes = times.length > 0 ? ['-force_key_frames', times.join()] : [];
  return job.outputs.flatMap(({ rung, path }, index) => [
    ...['-map', `[v${index}]`, ...threadArgs(job)],
    ...(job.codec === 'vp9' ? vp9Args(rung) : avcArgs(rung, job.framesPerSecond, job.quality)),
    ...FILE_ARGS,
    ...keyframes,
    path,
  ]);
}

function filterGraph(job: VideoJob): string {
  const { outputs, poster, thumbnails } = job;
  const scaled = outputs.map(({ rung }) => sizeFilters(rung, job, VIDEO_PICTURE));
  const splits = scaled.map((_, index) => `[s${index}]`);
  const chains = scaled.map((filters, index) => `[s${index}]${filters}[v${index}]`);
  if (poster) {
    splits.push('[still]');
    chains.push(`[still]trim=end_frame=1,${sizeFilters(poster, job, JPEG_PICTURE)}[poster]`);
  }
  if (thumbnails) {
    splits.push('[small]');
    chains.push(`[small]${thumbnailFilters(thumbnails, job)}[thumbnails]`);
  }
  const split = `[0:v:0]${sourceFilters(job)},split=${splits.length}${splits.join('')}`;
  return [split, ...chains].join(';');
}

/**
 * Times become ticks from the first frame on, whatever the container's time base and however the
 * 33-bit clock wraps. Two frames never get one time. Interlaced frames are deinterlaced.
 */
function sourceFilters(job: VideoJob): string {
  const { startTicks, dropBeforeTicks, dropRanges = [], changesSize, repeats } = job;
  const relative = `mod(PTS-${startTicks}+${PTS_WRAP_TICKS + BASE_TICKS},${PTS_WRAP_TICKS})`;
  const dropTicks = dropBeforeTicks && BASE_TICKS + dropBeforeTicks - startTicks;
  const dropped = dropRanges.map(
    ({ from, to }) =>
      `between(pts,${BASE_TICKS + from - startTicks},${BASE_TICKS + to - 1 - startTicks})`,
  );
  return [
    `settb=1/${TICKS_PER_SECOND}`,
    `setpts='if(isnan(PREV_OUTPTS),${relative},max(PREV_OUTPTS+1,${relative}))'`,
    ...(dropTicks === undefined ? [] : [`trim=start_pts=${dropTicks}`]),
    ...(dropped.length > 0 ? [`select='not(${dropped.join('+')})'`] : []),
    // It holds a frame back, which would be lost where the size changes.
    ...(changesSize ? [SQUARE_PIXELS] : ['yadif=deint=interlaced']),
    ...(job.toneMapping === undefined ? [] : [job.toneMapping]),
    ...(repeats ? repeatFilters(repeats) : []),
    `settb=1/${TICKS_PER_SECOND}`,
  ].join(',');
}

const repeatFilters = ({ perSecond, durationTicks }: FrameRepeats): string[] => [
  `fps=${perSecond}:start_time=${ticksToSeconds(BASE_TICKS)}`,
  `tpad=stop_mode=clone:stop_duration=${ticksToSeconds(durationTicks).toFixed(6)}`,
  `trim=end=${ticksToSeconds(BASE_TICKS + durationTicks).toFixed(6)}`,
];

/**
 * Chooses frames before it scales them. Times are stretched so that each part lasts as many seconds as it has
 * pictures; of a second the frame that is shown at its beginning is kept, also where none begins in it.
 */
function thumbnailFilters(thumbnails: ThumbnailJob, job: VideoJob): string {
  const { boundsTicks, columns } = thumbnails;
  const seconds = boundsTicks.slice(0, -1).map((from, part) => {
    const length = Math.max(1, (boundsTicks[part + 1] ?? from) - from);
    return `clip((PTS-${BASE_TICKS + from})*${columns}/${length},0,${columns})`;
  });
  const count = columns * seconds.length;
  return [
    `setpts='${TICKS_PER_SECOND}*(${seconds.join('+')})'`,
    'fps=1:start_time=0:round=up',
    `tpad=stop_mode=clone:stop=${count}`,
    `trim=end_frame=${count}`,
    sizeFilters(thumbnails, job, JPEG_PICTURE, ':flags=fast_bilinear'),
    `tile=${columns}x1`,
  ].join(',');
}

const HD_HEIGHT_PX = 720;

/** Sets up the graph anew for each size: so the shape of each is kept. */
const SQUARE_PIXELS = [
  "scale='trunc(iw*if(gt(sar,1),sar,1)/2)*2':'trunc(ih/if(between(sar,0.01,1),sar,1)/2)*2'",
  'setsar=1',
].join(',');

const VIDEO_PICTURE = { colour: 'out_color_matrix=bt709:out_range=tv', format: 'yuv420p' };
/** As JFIF says. */
const JPEG_PICTURE = { colour: 'out_color_matrix=smpte170m:out_range=pc', format: 'yuvj420p' };

/** Fits the source into the size; what is left of it stays black. */
function sizeFilters(
  { widthPx, heightPx }: FrameSize,
  job: VideoJob,
  { colour, format }: typeof VIDEO_PICTURE,
  scaler = '',
): string {
  const inner = fitInto(job.frame, { widthPx, heightPx });
  const keepsShape = ':force_original_aspect_ratio=decrease:force_divisible_by=2';
  const [size, shape] = job.changesSize
    ? [`${widthPx}:${heightPx}`, keepsShape]
    : [`${inner.widthPx}:${inner.heightPx}`, ''];
  // Without a matrix ffmpeg assumes BT.601; players, and most encoders, take HD for BT.709.
  const isHd = Math.min(job.frame.widthPx, job.frame.heightPx) >= HD_HEIGHT_PX;
  const matrix =
    job.guessMatrix && job.toneMapping === undefined
      ? `:in_color_matrix=${isHd ? 'bt709' : 'smpte170m'}`
      : '';
  const fits = !job.changesSize && inner.widthPx === widthPx && inner.heightPx === heightPx;
  return [
    `scale=${size}${shape}${matrix}:${colour}${scaler}`,
    ...(fits ? [] : [`pad=${widthPx}:${heightPx}:-1:-1`]),
    'setsar=1',
    `format=${format}`,
  ].join(',');
}

/** Deviations in shape that come from rounding to even sizes; too small to see. */
const SAME_SHAPE_PX = 2;

/** Size that a source takes up inside a rung: all of the rung if their shapes agree. */
export function fitInto(source: FrameSize, rung: FrameSize): FrameSize {
  const scale = Math.min(rung.widthPx / source.widthPx, rung.heightPx / source.heightPx);
  const widthPx = source.widthPx * scale;
  const heightPx = source.heightPx * scale;
  if (rung.widthPx - widthPx <= SAME_SHAPE_PX && rung.heightPx - heightPx <= SAME_SHAPE_PX) {
    return { widthPx: rung.widthPx, heightPx: rung.heightPx };
  }
  return { widthPx: even(widthPx), heightPx: even(heightPx) };
}

export const posterSize = (source: FrameSize): FrameSize => stillSize(source, MAX_POSTER_PX);

export const thumbnailSize = (source: FrameSize): FrameSize => stillSize(source, MAX_THUMBNAIL_PX);

/** That of the source, or smaller. */
function stillSize(source: FrameSize, maxPx: number): FrameSize {
  const scale = Math.min(1, maxPx / Math.max(source.widthPx, source.heightPx));
  return { widthPx: even(source.widthPx * scale), heightPx: even(source.heightPx * scale) };
}

const DEFAULT_QUALITY = 23;

/** With what FILE_ARGS says, all that the init segment depends on, so that all segments of a rung share one. */
function avcArgs(
  { level, maxrateBps }: PlannedRung,
  framesPerSecond: number,
  quality = DEFAULT_QUALITY,
): string[] {
  const rate = Math.max(1, Math.round(framesPerSecond));
  const keyframes = String(MAX_FRAMES_BETWEEN_KEYFRAMES);
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-level', level],
    ...['-crf', String(quality), '-maxrate', String(maxrateBps), '-bufsize', String(maxrateBps)],
    // Half full: segments that were encoded apart then keep to the rate when played one after another.
    ...['-rc_init_occupancy', String(Math.round(maxrateBps / 2))],
    ...['-g', keyframes, '-keyint_min', keyframes, '-sc_threshold', '0'],
    // Parameter sets that do not depend on the quality setting, so that an update may change it. By the rate a
    // frame without another behind it gets its bits: ffmpeg would say 90,000 frames a second of a single one.
    ...['-x264-params', `stitchable=1:fps=${rate}`],
  ];
}

/** Times pass through in ticks; nothing else that a source says gets into the file. */
const FILE_ARGS = [
  ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${TICKS_PER_SECOND}`],
  ...['-video_track_timescale', String(TICKS_PER_SECOND)],
  ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
  ...['-color_range', 'tv', '-fflags', '+bitexact', '-flags:v', '+bitexact'],
  ...['-map_metadata', '-1', '-map_chapters', '-1'],
  ...['-movflags', '+cmaf+frag_discont+skip_trailer', '-f', 'mp4'],
];

const PICTURE_QUALITY = '3';

/** One frame of a rendition by its place among those that are shown, as a JPEG on standard output. */
export const pictureArgs = (path: string, frame: number, widthPx: number): string[] => [
  ...inputArgs('mov', path),
  ...[
    '-filter_complex',
    `[0:v:0]select='eq(n,${frame})',scale=${widthPx}:-2:${JPEG_PICTURE.colour},format=${JPEG_PICTURE.format}[picture]`,
  ],
  ...[...jpegArgs('[picture]', PICTURE_QUALITY), '-frames:v', '1', '-f', 'mjpeg', 'pipe:1'],
];

/** Only decodes, to distinguish a source that cannot be decoded from a machine that cannot encode. */
export const decodeArgs = (
  format: string,
  inputPath: string,
  stream: '0:v:0' | '0:a:0' = '0:v:0',
): string[] => [
  ...[
    ...inputArgs(format, inputPath),
    '-map',
    stream,
    '-fps_mode',
    'passthrough',
    '-f',
    'framecrc',
    'pipe:1',
  ],
];
