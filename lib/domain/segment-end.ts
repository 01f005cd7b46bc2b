/** Where a segment ends. MPEG-TS does not say how long its last frame is shown, and other evidence has its faults. Pure. */

import { secondsToTicks, TICKS_PER_SECOND } from './ticks.ts';

/** Times on the timeline, in ticks. */
export type EndEvidence = Readonly<{
  startTicks: number;
  /** By the container, or by the rate of the frames. */
  endTicks: number;
  /** Neither tells: a single frame, or frames that come as they like. */
  isGuess: boolean;
  /** Frames are shown in another order than they are decoded in. */
  isReordered?: boolean;
  /** Of the segment with the next number. */
  nextStartTicks?: number | undefined;
  /** By the encoder's playlist, or the `duration` of the upload. */
  saidSeconds?: number | undefined;
}>;

/** What rounding and a lost last frame amount to. */
const MAX_CORRECTION_TICKS = TICKS_PER_SECOND / 4;
/** Of a guess: a camera may show a frame for as long. */
const MAX_FRAME_TICKS = 10 * TICKS_PER_SECOND;
/** Rounding in playlists is far less. */
const SAME_TICKS = TICKS_PER_SECOND / 10;

/**
 * undefined: the evidence says no more than `endTicks`. The next segment's start is exact to the tick; where
 * the encoder says something else, its clock has stepped between the two.
 */
export function segmentEnd(evidence: EndEvidence): number | undefined {
  const { startTicks, endTicks, isGuess, isReordered, nextStartTicks, saidSeconds } = evidence;
  const limit = isGuess ? MAX_FRAME_TICKS : MAX_CORRECTION_TICKS;
  const isPlausible = (ticks: number): boolean =>
    ticks > startTicks && Math.abs(ticks - endTicks) <= limit;
  const saidTicks =
    saidSeconds === undefined ? undefined : startTicks + secondsToTicks(saidSeconds);
  const said = saidTicks !== undefined && isPlausible(saidTicks) ? saidTicks : undefined;
  const next =
    nextStartTicks !== undefined && isPlausible(nextStartTicks) ? nextStartTicks : undefined;
  // Encoders count from keyframe to keyframe: pictures that the next one leads (open GOP) are in its segment.
  if (next === undefined && isReordered && !isGuess) return undefined;
  if (said === undefined || next === undefined) return next ?? said;
  return Math.abs(next - said) <= SAME_TICKS ? next : said;
}
