/** The video of a segment becomes all rungs of the ladder, in one run of ffmpeg. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import type { PlannedRung } from '../../domain/ladder.ts';
import type { ThumbnailGrid } from '../../domain/pictures/thumbnails.ts';
import type { VideoFacts } from '../../domain/segment.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { FfmpegError, runFfmpeg } from '../../ffmpeg/run.ts';
import { toneMapping } from '../../ffmpeg/tone-mapping.ts';
import {
  BASE_TICKS,
  decodeArgs,
  type FrameRepeats,
  posterSize,
  type ThumbnailJob,
  thumbnailSize,
  type VideoJob,
  videoArgs,
} from '../../ffmpeg/transcode-args.ts';
import type { DemuxedVideo } from '../demux/demuxed-segment.ts';
import {
  avcCodecString,
  type CmafSample,
  parseCmaf,
  type RenditionSegment,
  writeFragment,
} from '../mux/cmaf.ts';
import { decodeTimes } from './decode-times.ts';
import { restoreTimestamps } from './restore-timestamps.ts';

export type VideoJobInput = Readonly<{
  video: DemuxedVideo;
  facts: VideoFacts;
  /** Of the segment before this one, for frames that refer to it. */
  previous?: DemuxedVideo | undefined;
  rungs: readonly PlannedRung[];
  /** H.264 if it is left out. */
  codec?: 'vp9' | undefined;
  /** Where the segment is cut: ticks from its start. */
  keyframesAtTicks?: readonly number[] | undefined;
  repeats?: FrameRepeats | undefined;
  /** Make a poster, too. */
  wantsPoster?: boolean | undefined;
  /** Constant rate factor; left out: that of all renditions. */
  quality?: number | undefined;
  /** Make preview thumbnails, too: this many of each part of the segment, as it is cut. */
  thumbnails?: Readonly<{ columns: number; boundsTicks: readonly number[] }> | undefined;
  threads?: number | undefined;
  folder: string;
  signal: AbortSignal;
}>;

/** A rung as ffmpeg wrote it: times are counted from `BASE_TICKS` at the segment's first frame. */
export type EncodedRung = Readonly<{
  rung: PlannedRung;
  init: Uint8Array;
  samples: readonly CmafSample[];
  /** The frames are not those of the source, one by one. */
  isRepeated: boolean;
}>;

export type EncodedPicture = Readonly<{
  rungs: readonly EncodedRung[];
  /** JPEG. */
  poster?: Uint8Array | undefined;
  /** Of each part of the segment as it is cut; undefined where it could not be made. */
  thumbnails?: readonly (ThumbnailSprite | undefined)[] | undefined;
  /** Those that were encoded, on the clock of `startTicks`. */
  frames: DemuxedVideo['frames'];
  startTicks: number;
  framesPerSecond: number;
}>;

/** JPEG, with small pictures side by side. */
export type ThumbnailSprite = ThumbnailGrid & Readonly<{ bytes: Uint8Array }>;

/** A segment of which fewer frames can be decoded is failed as damaged. */
const MIN_DECODED_SHARE = 0.05;

/**
 * Throws DomainError `undecodable` when the source is at fault, any other error when a retry may help.
 * Without stills where none can be made, as by an ffmpeg that lacks their encoder.
 */
export async function encodeRungs(
  job: VideoJobInput,
): Promise<Pick<EncodedPicture, 'rungs' | 'poster' | 'thumbnails'>> {
  const { video, facts, previous, rungs, folder, signal } = job;
  const { format, bytes, startsWithPrevious, delayTicks, hidden } = video.decoderInput(previous);
  const inputPath = join(folder, `source.${format}`);
  await writeFile(inputPath, bytes);
  const startTicks = facts.startTicks + delayTicks;
  const outputs = rungs.map((rung, index) => ({ rung, path: join(folder, `v${index}.mp4`) }));
  const videoJob: VideoJob = {
    inputPath,
    format,
    frame: video,
    startTicks,
    framesPerSecond: facts.framesPerSecond,
    dropBeforeTicks: startsWithPrevious ? startTicks - halfFrameTicks(facts) : undefined,
    dropRanges: hidden?.map(({ from, to }) => ({ from: from + delayTicks, to: to + delayTicks })),
    changesSize: video.changesSize,
    guessMatrix: !video.saysMatrix,
    toneMapping: video.hdr && (await toneMapping(video.hdr)),
    outputs,
    codec: job.codec,
    keyframesAtTicks: job.keyframesAtTicks,
    repeats: job.repeats,
    quality: job.quality,
    threads: job.threads,
  };
  const stills: Stills = {
    poster: job.wantsPoster
      ? { ...posterSize(video), path: join(folder, 'poster.jpg') }
      : undefined,
    thumbnails: job.thumbnails && {
      ...{ ...job.thumbnails, ...thumbnailSize(video) },
      path: join(folder, 'thumbnails-%d.jpg'),
    },
  };
  try {
    await runVideo(videoJob, stills, signal);
  } catch (error) {
    if (error instanceof FfmpegError) await requireDecodable(format, inputPath, error, signal);
    throw error;
  }
  const encoded = await Promise.all(
    outputs.map(async ({ rung, path }) => {
      const { init, samples } = parseCmaf(await readFile(path));
      const isRepeated = job.repeats !== undefined;
      return { rung, init, samples: requireFrames(samples, facts), isRepeated };
    }),
  );
  const { poster, thumbnails } = stills;
  return {
    rungs: encoded,
    poster: poster && (await readStill(poster.path)),
    thumbnails: thumbnails && (await readThumbnails(thumbnails)),
  };
}

type Stills = Pick<VideoJob, 'poster' | 'thumbnails'>;

async function runVideo(job: VideoJob, stills: Stills, signal: AbortSignal): Promise<void> {
  try {
    await runFfmpeg({ args: videoArgs({ ...job, ...stills }), signal });
  } catch (error) {
    const hasStills = stills.poster !== undefined || stills.thumbnails !== undefined;
    if (!hasStills || !(error instanceof FfmpegError) || error.killedBy) throw error;
    const { poster, thumbnails } = stills;
    const paths = [
      ...(poster ? [poster.path] : []),
      ...(thumbnails ? spritePaths(thumbnails) : []),
    ];
    await Promise.all(paths.map((path) => rm(path, { force: true })));
    await runFfmpeg({ args: videoArgs(job), signal });
  }
}

const spritePaths = ({ path, boundsTicks }: ThumbnailJob): string[] =>
  boundsTicks.slice(1).map((_, part) => path.replace('%d', String(part)));

const readThumbnails = (job: ThumbnailJob): Promise<(ThumbnailSprite | undefined)[]> =>
  Promise.all(
    spritePaths(job).map(async (path, part) => {
      const bytes = await readStill(path);
      const { columns, widthPx, heightPx, boundsTicks } = job;
      const [from = 0, to = from] = boundsTicks.slice(part);
      const intervalTicks = Math.max(1, Math.round((to - from) / columns));
      return bytes && { bytes, columns, widthPx, heightPx, intervalTicks };
    }),
  );

/** undefined: it was not made. */
async function readStill(path: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && bytes.byteLength > 0 ? bytes : undefined;
}

function requireFrames<T>(samples: readonly T[], facts: VideoFacts): readonly T[] {
  if (samples.length > 0 && samples.length >= facts.frames * MIN_DECODED_SHARE) return samples;
  throw new DomainError(
    'undecodable',
    `${samples.length} of the ${facts.frames} frames can be decoded.`,
    'The segment was damaged; play it with ffplay to see.',
  );
}

/** After a failure: if decoding alone gives no frames either, a retry will not help. */
async function requireDecodable(
  format: string,
  inputPath: string,
  failure: FfmpegError,
  signal: AbortSignal,
): Promise<void> {
  if (failure.killedBy) return;
  let frames = 0;
  try {
    const { stdout } = await runFfmpeg({ args: decodeArgs(format, inputPath), signal });
    const lines = stdout.toString('latin1').split('\n');
    frames = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
  } catch (error) {
    if (!(error instanceof FfmpegError) || error.killedBy) throw error;
  }
  if (frames > 0) return;
  throw new DomainError(
    'undecodable',
    `No frame can be decoded: ${failure.stderrTail.trim().split('\n')[0]}`,
    'The segment was damaged, or its codec profile is unusual; play it with ffplay to see.',
  );
}

/** What lies nearer to the segment's first frame than this belongs to the segment. */
const halfFrameTicks = ({ framesPerSecond }: VideoFacts): number =>
  Math.floor(TICKS_PER_SECOND / framesPerSecond / 2);

/**
 * Writes the fragments with exact times: presentation times are the source's, and the last frame lasts
 * until the next segment. So no rounding reaches the viewer. One fragment for each part of the segment,
 * as `bounds` say: ticks from its start, the first 0, the last its duration.
 */
export function finishRung(
  { rung, init, samples, isRepeated }: EncodedRung,
  picture: Omit<EncodedPicture, 'rungs'>,
  startTicks: number,
  bounds: readonly number[],
): RenditionSegment[] {
  const order = samples.map((_, index) => index);
  order.sort((a, b) => (samples[a]?.ptsTicks ?? 0) - (samples[b]?.ptsTicks ?? 0));
  const encoded = order.map((index) => (samples[index]?.ptsTicks ?? 0) - BASE_TICKS);
  const source = picture.frames
    .map(({ ptsTicks }) => ptsTicks - picture.startTicks)
    .sort((a, b) => a - b);
  const ticks = restoreTimestamps(encoded, isRepeated ? encoded : source);
  const shown: number[] = [];
  for (const [rank, index] of order.entries()) shown[index] = ticks[rank] ?? 0;
  const { widthPx, heightPx, maxrateBps } = rung;
  const { framesPerSecond } = picture;
  const codecString = avcCodecString(init);
  const info = { kind: 'video' as const, codecString, widthPx, heightPx, framesPerSecond };
  const parts = separateAtKeyframes(samples, shown, bounds);
  return parts.map(({ from, to, endTicks }) => {
    const presentation = shown.slice(from, to);
    const decode = decodeTimes(presentation, endTicks);
    const timed = samples.slice(from, to).map(({ bytes, isSync }, index) => {
      const decodeTicks = decode[index] ?? 0;
      return {
        ...{ bytes, isSync },
        durationTicks: (decode[index + 1] ?? endTicks) - decodeTicks,
        compositionTicks: (presentation[index] ?? 0) - decodeTicks,
      };
    });
    const media = writeFragment(startTicks + (decode[0] ?? 0), timed, 1);
    const behind = timed.slice(1).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const keyframe = timed[0]?.isSync ? { keyframeBytes: media.byteLength - behind } : {};
    return { init, media, info: { ...info, maxrateBps }, ...keyframe };
  });
}

/** Samples from one bound to the next; each part begins with the keyframe nearest to its bound. */
function separateAtKeyframes(
  samples: readonly CmafSample[],
  shown: readonly number[],
  bounds: readonly number[],
): { from: number; to: number; endTicks: number }[] {
  const keyframes = samples.flatMap(({ isSync }, index) => (isSync ? [index] : []));
  const starts = bounds
    .slice(0, -1)
    .map((bound, part) =>
      part === 0
        ? 0
        : keyframes.reduce((best, index) =>
            Math.abs((shown[index] ?? 0) - bound) < Math.abs((shown[best] ?? 0) - bound)
              ? index
              : best,
          ),
    );
  return starts.map((from, part) => {
    const to = starts[part + 1] ?? samples.length;
    return {
      from,
      to,
      endTicks: part + 1 < starts.length ? (shown[to] ?? 0) : (bounds.at(-1) ?? 0),
    };
  });
}
