/** Where a segment that is longer than the target duration is cut. Pure. */

import type { SegmentFacts } from '../domain/segment.ts';
import { fitsTarget, piecesOfSegment } from '../domain/stream.ts';
import { TICKS_PER_SECOND, ticksToSeconds } from '../domain/ticks.ts';
import type { DemuxedVideo } from './demux/demuxed-segment.ts';

export type Cuts = Readonly<{
  /** From the segment's start; none if it fits. */
  atTicks: readonly number[];
  /** Set if a frame lasts too long: the encoder repeats frames so often, and cuts between them. */
  repeatsPerSecond?: number;
}>;

/** Rates at which frames are repeated; the cuts lie on frames, so not too few. */
const REPEATS_PER_SECOND = { least: 5, most: 60 };

/** Where frames come as they like, more cuts than are needed may fit; so many times as many are tried. */
const MAX_MORE = 4;

/**
 * Each piece lasts a target duration at most, and they are about equal. Video is cut at frames: the encoder
 * puts keyframes there, as it encodes every frame anyway.
 */
export function cutTimes(
  video: Pick<DemuxedVideo, 'frames'> | undefined,
  facts: Pick<SegmentFacts, 'startTicks' | 'endTicks' | 'video'>,
  targetSeconds?: number,
): Cuts {
  const { startTicks, endTicks } = facts;
  const duration = endTicks - startTicks;
  const wanted = piecesOfSegment(ticksToSeconds(duration), targetSeconds);
  if (wanted === 1) return { atTicks: [] };
  if (!video) return { atTicks: equalCuts(duration, wanted) };
  const frames = video.frames.map(({ ptsTicks }) => ptsTicks - startTicks).sort((a, b) => a - b);
  const most = Math.min(frames.length, MAX_MORE * wanted);
  for (let count = wanted; count <= most; count += 1) {
    const cuts = new Set(equalCuts(duration, count).map((at) => nearest(frames, at)));
    const atTicks = [...cuts].filter((at) => at > 0);
    const fit = [...atTicks, duration].every((end, index) =>
      fitsTarget(ticksToSeconds(end - (atTicks[index - 1] ?? 0)), targetSeconds ?? Infinity),
    );
    if (fit) return { atTicks };
  }
  const { least, most: fastest } = REPEATS_PER_SECOND;
  const rate = Math.round(facts.video?.framesPerSecond ?? least);
  const repeatsPerSecond = Math.min(fastest, Math.max(least, rate));
  const frameTicks = TICKS_PER_SECOND / repeatsPerSecond;
  const onFrame = (at: number): number => Math.round(Math.round(at / frameTicks) * frameTicks);
  return { atTicks: equalCuts(duration, wanted).map(onFrame), repeatsPerSecond };
}

const equalCuts = (duration: number, count: number): number[] =>
  Array.from({ length: count - 1 }, (_, index) => Math.round((duration * (index + 1)) / count));

function nearest(sorted: readonly number[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const [before = 0, behind = before] = [sorted[low - 1], sorted[low]];
  return at - before <= behind - at ? before : behind;
}
