/**
 * Where a whole file is cut into segments: at keyframes, so that nothing is encoded again. Pure; what it is
 * told comes piece by piece, as a file of many gigabytes is read.
 */

import { MAX_FRAMES, MAX_PIXELS } from './segment-work.ts';

/** From one keyframe to the next. */
export type KeyframeSpan = Readonly<{
  seconds: number;
  frames: number;
  /** Of all pictures. */
  pixels: number;
  /** Of the video alone. */
  bytes: number;
}>;

/**
 * At the beginning so short that it is soon playable, and that many workers have something to do; then longer,
 * as each job costs some time beside its media. What ffmpeg encodes anyway has keyframes where it is cut.
 */
export const FILE_SEGMENT_SECONDS = { first: 2, later: 6, encoded: 4 };

/** A segment may last a minute (upload.ts); its sound is cut at packets and may be a little longer. */
const MAX_SECONDS = 55;
const MAX_VIDEO_BYTES = 256 * 1024 * 1024;
/** Keyframes of a file at 29.97 frames a second, two seconds apart, are 2.002 s apart: or a little less. */
const TOLERANCE_SECONDS = 0.1;

export const joinSpans = (a: KeyframeSpan, b: KeyframeSpan): KeyframeSpan => ({
  seconds: a.seconds + b.seconds,
  frames: a.frames + b.frames,
  pixels: a.pixels + b.pixels,
  bytes: a.bytes + b.bytes,
});

/** Whether one segment can be so much. A file whose keyframes are further apart has to be encoded first. */
export const fitsSegment = ({ seconds, frames, pixels, bytes }: KeyframeSpan): boolean =>
  seconds <= MAX_SECONDS &&
  frames <= MAX_FRAMES &&
  pixels <= MAX_PIXELS &&
  bytes <= MAX_VIDEO_BYTES;

/** Whether a segment ends with this keyframe span; the next begins with the keyframe that follows. */
export const isLongEnough = ({ seconds }: KeyframeSpan, targetSeconds: number): boolean =>
  seconds >= targetSeconds - TOLERANCE_SECONDS;
