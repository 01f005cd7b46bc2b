/** Places the timestamps of a picture track, whose zero differs from track to track, on the session's clock. Pure. */

/** Frames that arrive in this time say how long the quickest way from the camera is. */
const SETTLING_MS = 1000;

/** A frame cannot be from the future; so much is jitter of the two clocks. */
const MAX_AHEAD_MS = 100;
/** No frame is under way for so long: the track's clock has jumped. */
const MAX_BEHIND_MS = 3000;

/** Times are in milliseconds of any one clock that never jumps. */
export class ArrivalClock {
  #firstArrivedMs: number | undefined;
  #offsetMs = Number.POSITIVE_INFINITY;

  /** Whether the zero of the track is known well: later frames no longer change it. */
  isSettled(nowMs: number): boolean {
    return this.#firstArrivedMs !== undefined && nowMs - this.#firstArrivedMs > SETTLING_MS;
  }

  /** When a frame was taken, by the clock of its arrival. A track whose clock jumps gets a new zero. */
  place(timestampUs: number, arrivedMs: number): number {
    const timestampMs = timestampUs / 1000;
    const behindMs = arrivedMs - timestampMs - this.#offsetMs;
    const hasJumped = behindMs < -MAX_AHEAD_MS || behindMs > MAX_BEHIND_MS;
    if (hasJumped && this.isSettled(arrivedMs)) {
      this.#firstArrivedMs = undefined;
      this.#offsetMs = Number.POSITIVE_INFINITY;
    }
    this.#firstArrivedMs ??= arrivedMs;
    if (!this.isSettled(arrivedMs)) {
      this.#offsetMs = Math.min(this.#offsetMs, arrivedMs - timestampMs);
    }
    return timestampMs + this.#offsetMs;
  }
}
