/** How much work one segment may be, and how long a worker tries. Pictures cost time, seconds do not. */

import type { SegmentFacts, VideoFacts } from './segment.ts';
import { ticksToMs } from './ticks.ts';

/** The largest picture of level 6.2, in H.264 (Table A-1) and in H.265 (Table A.8). */
export const MAX_FRAME_PIXELS = 8192 * 4352;

/** Five times a segment of 4 s at 2160p60: 160 s of 1080p30, or 9 s of 4320p30. */
export const MAX_PIXELS = 1e10;

/** As many as 100 s at the highest rate that is taken; small pictures cost time, too. */
export const MAX_FRAMES = 30_000;

export const MAX_AUDIO_TRACKS = 16;

/** All pictures of the segment. */
export const pixelsOf = ({
  widthPx,
  heightPx,
  frames,
}: Pick<VideoFacts, 'widthPx' | 'heightPx' | 'frames'>): number => widthPx * heightPx * frames;

const LEAST_MS = 60_000;
/** For the sound: even a small computer encodes it many times faster than it plays. */
const PER_SECOND_OF_SEGMENT = 5;
/** A tenth of what two cores of a server do: a small computer, with two jobs at once. */
const SLOWEST_PIXELS_PER_MS = 10_000;

/** After it ffmpeg is killed, and the segment is failed: 75 s for 2 s of 720p30, 280 s for 4 s of 2160p60. */
export const transcodeTimeoutMs = ({ video, startTicks, endTicks }: SegmentFacts): number =>
  Math.round(
    LEAST_MS +
      PER_SECOND_OF_SEGMENT * ticksToMs(endTicks - startTicks) +
      (video ? pixelsOf(video) / SLOWEST_PIXELS_PER_MS : 0),
  );
