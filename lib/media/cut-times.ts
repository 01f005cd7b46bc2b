/** Where a segment that is longer than the target duration is cut. Pure. */

import type { SegmentFacts } from '../domain/segment.ts';
import { fitsTarget, piecesOfSegment } from '../domain/stream.ts';
import { ticksToSeconds } from '../domain/ticks.ts';
import type { DemuxedVideo } from './demux/demuxed-segment.ts';

/**
 * Ticks from the segment's start, none if it fits. Of video at frames, so that each piece lasts a target
 * duration at most and they are about equal. The encoder puts keyframes there, as it encodes every frame
 * anyway.
 */
export function cutTimes(
  video: Pick<DemuxedVideo, 'frames'> | undefined,
  { startTicks, endTicks }: Pick<SegmentFacts, 'startTicks' | 'endTicks'>,
  targetSeconds?: number,
): number[] {
  const duration = endTicks - startTicks;
  const wanted = piecesOfSegment(ticksToSeconds(duration), targetSeconds);
  if (wanted === 1) return [];
  if (!video) return equalCuts(duration, wanted);
  const frames = video.frames.map(({ ptsTicks }) => ptsTicks - startTicks).sort((a, b) => a - b);
  for (let count = wanted; ; count += 1) {
    const cuts = [...new Set(equalCuts(duration, count).map((at) => nearest(frames, at)))];
    const fit = [...cuts, duration].every((end, index) =>
      fitsTarget(ticksToSeconds(end - (cuts[index - 1] ?? 0)), targetSeconds ?? Number.MAX_VALUE),
    );
    // A frame that lasts longer than the target duration cannot be cut.
    if (fit || count >= frames.length) return cuts.filter((at) => at > 0);
  }
}

const equalCuts = (duration: number, count: number): number[] =>
  Array.from({ length: count - 1 }, (_, index) => Math.round((duration * (index + 1)) / count));

const nearest = (sorted: readonly number[], at: number): number =>
  sorted.reduce((best, time) => (Math.abs(time - at) < Math.abs(best - at) ? time : best), 0);
