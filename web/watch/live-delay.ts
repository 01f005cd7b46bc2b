/** How far a viewer is behind live, by the wall clock: it grows while nothing new comes. Pure. */

export type LivePosition = Readonly<{
  /** From the position to the end of the newest published segment. */
  edgeSeconds: number;
  /** When the picture on the screen was captured, by EXT-X-PROGRAM-DATE-TIME; Unix time. */
  shownAtMs?: number | undefined;
  /** Since when nothing new was published, if longer than usual; Unix time. */
  quietSinceMs?: number | undefined;
}>;

/** An encoder whose clock is further back was never set: many cameras begin in 1970. */
const MAX_BELIEVED_SECONDS = 24 * 60 * 60;

/**
 * `nowMs`: by the server's clock. The captured time counts where there is one and it can be true: an
 * encoder's clock that is ahead would put the viewer nearer than the newest segment's end.
 */
export function behindLiveSeconds(
  { edgeSeconds, shownAtMs, quietSinceMs }: LivePosition,
  nowMs: number,
): number {
  const quietSeconds = quietSinceMs === undefined ? 0 : Math.max(0, nowMs - quietSinceMs) / 1000;
  const counted = Math.max(0, edgeSeconds) + quietSeconds;
  const byClock = shownAtMs === undefined ? counted : (nowMs - shownAtMs) / 1000;
  return byClock - counted < MAX_BELIEVED_SECONDS ? Math.max(counted, byClock) : counted;
}

/** A device's clock is as good as an answer that a cache may have kept for a second. */
const ANSWER_ERROR_MS = 2000;

/** To be added to the device's clock for the server's. `serverTime`: of an answer that came at `deviceMs`. */
export function clockOffsetMs(serverTime: string | undefined, deviceMs: number): number {
  const offsetMs = Date.parse(serverTime ?? '') - deviceMs;
  return Math.abs(offsetMs) > ANSWER_ERROR_MS ? offsetMs : 0;
}
