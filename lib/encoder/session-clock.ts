/**
 * When the segments of a live session began, by the wall clock. Media that goes on is counted: on a busy
 * machine a cut comes late, and the server follows a clock that was set forward, but none that goes back.
 */

/** More is no delay: media was lost, or the machine's clock was set. */
const MAX_DELAY_MS = 5000;

export class SessionClock {
  #endMs: number | undefined;

  /** Of a segment that was cut at `nowMs`, since 1970. undefined where its duration is not known. */
  beginOf(durationSeconds: number | undefined, nowMs: number): number | undefined {
    if (durationSeconds === undefined) {
      this.#endMs = undefined;
      return undefined;
    }
    const ownMs = nowMs - 1000 * durationSeconds;
    const countedMs = this.#endMs ?? ownMs;
    const isNear = Math.abs(ownMs - countedMs) <= MAX_DELAY_MS;
    const beginMs = isNear ? Math.min(ownMs, countedMs) : ownMs;
    this.#endMs = beginMs + 1000 * durationSeconds;
    return beginMs;
  }
}

/** The same of a file: its media is counted from the instant at which it begins, if that is known. */
export class FileClock {
  #endMs: number | undefined;

  constructor(startMs: number | undefined) {
    this.#endMs = startMs;
  }

  /** undefined from the first segment on whose duration is not known. */
  beginOf(durationSeconds: number | undefined): number | undefined {
    const beginMs = durationSeconds === undefined ? undefined : this.#endMs;
    this.#endMs = beginMs === undefined ? undefined : beginMs + 1000 * (durationSeconds ?? 0);
    return beginMs;
  }
}
