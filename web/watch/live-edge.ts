/** When a viewer counts as being at the live edge, and how playback is kept near it. Pure. */

/** A viewer at the edge may fall behind by this, or by one segment, before the page shows it. */
const TOLERANCE_SECONDS = 4;

/** Stricter for returning than for staying, so that the badge does not flicker. */
const RETURN_SECONDS = 2;

/**
 * `behindSeconds`: from the position to the one that live playback aims at (the hold-back behind the
 * newest segment); negative when nearer to the newest.
 */
export const isAtEdge = (
  wasAtEdge: boolean,
  behindSeconds: number,
  targetDurationSeconds: number,
): boolean =>
  behindSeconds <=
  (wasAtEdge ? Math.max(TOLERANCE_SECONDS, targetDurationSeconds) : RETURN_SECONDS);

/** A position that moves back by less is a correction of the player's, not a seek of the viewer's. */
const REWIND_SECONDS = 0.5;

/**
 * Whether a viewer is at the edge after a seek by `movedSeconds`, negative when backwards. The tolerance
 * is for playback that fell behind; a viewer who rewinds is not at the edge until within reach of it, or
 * catching up would undo a rewind that is shorter than the tolerance.
 */
export const isAtEdgeAfterSeek = (
  wasAtEdge: boolean,
  movedSeconds: number,
  behindSeconds: number,
  targetDurationSeconds: number,
): boolean =>
  isAtEdge(wasAtEdge && movedSeconds > -REWIND_SECONDS, behindSeconds, targetDurationSeconds);

const MAX_DELAY_TARGETS = 10;

/** Whether the newest segment is so far ahead of a viewer who follows live that catching up would take too long. */
export const isTooFarBehind = (
  behindSeconds: number,
  holdBackSeconds: number,
  targetDurationSeconds: number,
): boolean => behindSeconds + holdBackSeconds > MAX_DELAY_TARGETS * targetDurationSeconds;

const CATCH_UP_RATE = 1.04;

/**
 * The playback rate of a viewer who follows live: faster, but too little to be heard, until the delay
 * of small stalls is made up for. hls.js does this in its low-latency mode only, and there also for
 * viewers who rewound.
 */
export function catchUpRate(
  currentRate: number,
  behindSeconds: number,
  bufferSeconds: number,
  targetDurationSeconds: number,
): number {
  if (bufferSeconds < Math.min(4, targetDurationSeconds)) return 1;
  if (currentRate > 1) return behindSeconds > 0.2 ? CATCH_UP_RATE : 1;
  return behindSeconds > 1 ? CATCH_UP_RATE : 1;
}
