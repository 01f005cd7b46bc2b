/**
 * A video track of an MP4 as a file for ffmpeg: the frames as they were demuxed, in one fragment of a file
 * of their own. So edit lists, offsets of any kind and other tracks have no say in what is decoded.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { writeFragment } from '../mux/cmaf.ts';
import type { DecoderInput, TickRange } from './demuxed-segment.ts';
import { type Mp4TrackHeader, writeHeader } from './mp4-codec.ts';

export type Mp4Frame = Readonly<{
  ptsTicks: number;
  durationTicks: number;
  isKey: boolean;
  /** Decoded for the sake of others, but not shown. */
  isHidden: boolean;
  bytes: Uint8Array;
}>;

/** Frames in decode order. */
export type Mp4Video = Readonly<{ header: Mp4TrackHeader; frames: readonly Mp4Frame[] }>;

/** Far above zero: decode times lie before the presentation by the reordering delay. */
const DELAY_TICKS = 60 * TICKS_PER_SECOND;

/** `previous` comes first if its header is the same, and its frames are all shown. */
export function mp4DecoderInput(video: Mp4Video, previous?: Mp4Video): DecoderInput {
  const joins =
    previous !== undefined &&
    isSameHeader(video.header, previous.header) &&
    previous.frames.every(({ isHidden }) => !isHidden);
  const frames = joins ? [...previous.frames, ...video.frames] : video.frames;
  const decodeTicks = decodeTimes(frames);
  const samples = frames.map(({ ptsTicks, isKey, bytes }, index) => {
    const ticks = decodeTicks[index] ?? 0;
    return {
      bytes,
      isSync: isKey,
      durationTicks: (decodeTicks[index + 1] ?? ticks + 1) - ticks,
      compositionTicks: ptsTicks - ticks,
    };
  });
  const [firstTicks = 0] = decodeTicks;
  const delayTicks = DELAY_TICKS - Math.min(0, firstTicks);
  const fragment = writeFragment(delayTicks + firstTicks, samples, 1);
  return {
    format: 'mov',
    bytes: Buffer.concat([writeHeader(video.header), fragment]),
    startsWithPrevious: joins,
    delayTicks,
    hidden: hiddenRanges(video.frames),
  };
}

const isSameHeader = (a: Mp4TrackHeader, b: Mp4TrackHeader): boolean =>
  Buffer.compare(Buffer.from(a.sampleDescription), Buffer.from(b.sampleDescription)) === 0;

/**
 * For frames in decode order: a frame's duration apart, none after its presentation. ffmpeg takes these
 * for the times of frames where those of presentation contradict each other.
 */
function decodeTimes(frames: readonly Mp4Frame[]): number[] {
  let ticks = 0;
  let lateness = Number.NEGATIVE_INFINITY;
  const times = frames.map(({ ptsTicks, durationTicks }) => {
    const time = Math.round(ticks);
    lateness = Math.max(lateness, time - ptsTicks);
    ticks += Math.max(1, durationTicks);
    return time;
  });
  return times.map((time) => time - lateness);
}

/** Hidden frames lie a tick apart, with no other between. */
function hiddenRanges(frames: readonly Mp4Frame[]): TickRange[] {
  const ticks = frames.flatMap(({ ptsTicks, isHidden }) => (isHidden ? [ptsTicks] : []));
  ticks.sort((a, b) => a - b);
  const ranges: { from: number; to: number }[] = [];
  for (const at of ticks) {
    const range = ranges.at(-1);
    if (range?.to === at) range.to = at + 1;
    else ranges.push({ from: at, to: at + 1 });
  }
  return ranges;
}
