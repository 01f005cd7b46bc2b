/** The pictures of a clip's file: whole pieces are copied, parts of them and those of another size are encoded. */

import { BOUND_SLACK_TICKS } from '../../domain/clip.ts';
import type { PlannedRung } from '../../domain/ladder.ts';
import { demuxSegment } from '../demux/demux.ts';
import { type CmafTrack, parseCmaf, type TimedSample } from '../mux/cmaf.ts';
import { encodeBlack } from '../video/missing-picture.ts';
import { type EncodedPicture, encodeRungs, finishRung } from '../video/video-renditions.ts';
import { type InitParameters, readInit } from './init-parameters.ts';

/** What the encoder is to make: pieces that have the same parameters are copied beside it. */
export type PictureTarget = Readonly<{ rung: PlannedRung; parameters: InitParameters }>;

type Encoding = Readonly<{ threads?: number | undefined; folder: string; signal: AbortSignal }>;

/** Encoded twice, so that the second time costs nothing that can be seen. */
const QUALITY = 18;
const RATE_FACTOR = 2;

/**
 * What the file's pictures are like: those of `init`, and so that our encoder makes the same. An encoder that
 * has changed since makes others; then its own are the target, and all pieces are encoded anew.
 */
export async function pictureTarget(
  init: Uint8Array,
  { framesPerSecond, maxrateBps = DEFAULT_MAXRATE_BPS }: PictureRates,
  encodes: boolean,
  encoding: Encoding,
): Promise<PictureTarget> {
  const parameters = readInit(init, 'video');
  const { widthPx, heightPx, level } = parameters;
  const rung = { name: 'clip', widthPx, heightPx, level, maxrateBps: RATE_FACTOR * maxrateBps };
  if (!encodes) return { rung, parameters };
  const { rungs } = await encodeBlack({
    ...{ ...encoding, rungs: [rung], framesPerSecond, keyframesAtTicks: [] },
    ...{ startTicks: 0, endTicks: 1 },
  });
  const made = readInit(rungs[0]?.init ?? init, 'video');
  return { rung, parameters: isSame(made, parameters) ? parameters : made };
}

export type PictureRates = Readonly<{ framesPerSecond: number; maxrateBps?: number | undefined }>;
const DEFAULT_MAXRATE_BPS = 4_500_000;

export const isSame = (a: InitParameters, b: InitParameters): boolean =>
  a.decoderConfig.equals(b.decoderConfig);

/** A piece of video, and what of it the clip has: frames that begin in it, on the timeline. */
export type PicturePart = Readonly<{
  init: Uint8Array;
  media: Uint8Array;
  fromTicks: number;
  toTicks: number;
}>;

/** From the first frame, up to where the last one ends. */
export type CutPicture = Readonly<{
  startTicks: number;
  endTicks: number;
  samples: readonly TimedSample[];
}>;

/** undefined: no frame begins in the part. */
export async function cutPicture(
  part: PicturePart,
  target: PictureTarget,
  framesPerSecond: number,
  encoding: Encoding,
): Promise<CutPicture | undefined> {
  const track = parseCmaf(Buffer.concat([part.init, part.media]));
  const times = track.samples.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
  const isIn = (bound: number) => (ticks: number) => ticks >= bound - BOUND_SLACK_TICKS;
  const first = times.findIndex(isIn(part.fromTicks));
  const behind = times.findIndex(isIn(part.toTicks));
  const end = behind < 0 ? times.length : behind;
  const startTicks = times[first];
  if (startTicks === undefined || end <= first) return undefined;
  const endTicks = times[end] ?? track.endTicks;
  const isWhole = first === 0 && end === times.length;
  const samples =
    isWhole && isSame(readInit(part.init, 'video'), target.parameters)
      ? timedSamples(track)
      : await encode(part, { startTicks, endTicks }, target, framesPerSecond, encoding);
  return { startTicks, endTicks, samples };
}

async function encode(
  { init, media }: PicturePart,
  { startTicks, endTicks }: Pick<CutPicture, 'startTicks' | 'endTicks'>,
  { rung }: PictureTarget,
  framesPerSecond: number,
  { threads, folder, signal }: Encoding,
): Promise<readonly TimedSample[]> {
  const { video } = await demuxSegment(media, init);
  if (!video) throw new Error('A piece of video has none.');
  const shown = ({ ptsTicks }: SegmentFrame): boolean =>
    ptsTicks >= startTicks && ptsTicks < endTicks;
  const frames = video.frames.filter(shown);
  const others = video.frames.filter((frame) => !shown(frame));
  const hidden = others.map(({ ptsTicks }) => ({ from: ptsTicks, to: ptsTicks + 1 }));
  const facts = { ...video, framesPerSecond, frames: frames.length, startTicks, endTicks };
  const job = {
    video: { ...video, decoderInput: () => ({ ...video.decoderInput(), hidden }) },
    ...{ facts, rungs: [rung], quality: QUALITY, threads, folder, signal },
  };
  const { rungs } = await encodeRungs(job);
  const [made] = rungs;
  if (!made) throw new Error('The encoder made no picture.');
  const picture: Omit<EncodedPicture, 'rungs'> = { frames, startTicks, framesPerSecond };
  const [cut] = finishRung(made, picture, startTicks, [0, endTicks - startTicks]);
  return cut ? timedSamples(parseCmaf(Buffer.concat([cut.init, cut.media]))) : [];
}

type SegmentFrame = Readonly<{ ptsTicks: number }>;

/** With how long each lasts: until the next is decoded. */
export function timedSamples({ samples, endTicks }: CmafTrack): readonly TimedSample[] {
  const decodeTicks = samples.map(({ ptsTicks, compositionTicks }) => ptsTicks - compositionTicks);
  return samples.map(({ bytes, isSync, compositionTicks }, index) => ({
    ...{ bytes, isSync, compositionTicks },
    durationTicks: (decodeTicks[index + 1] ?? endTicks) - (decodeTicks[index] ?? 0),
  }));
}
