/** How a live viewer is kept near the live edge, and when one counts as being there. Pure. */

/** A viewer at the edge may fall behind by this, or by one segment, before it shows. */
const TOLERANCE_SECONDS = 4;

/** Coming back is stricter than staying, so that the badge does not flicker. */
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

const CATCH_UP_RATE = 1.04;

/**
 * The playback rate of a viewer who follows live: a little faster, too little to be heard, until the
 * delay of small stalls is made up for. hls.js does this in its low-latency mode alone, and there for
 * viewers who went back on purpose as well.
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
