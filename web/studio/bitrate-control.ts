/** Lets the bit rate follow the line. Pure. */

const MAX_BACKLOG_SEGMENTS = 2;
const DOWN = 0.7;
const UP = 1.3;
/** A lower rate shows in the backlog after some segments. */
const DOWN_INTERVAL_MS = 4000;
const UP_AFTER_MS = 30_000;
const LOWEST_BPS = 300_000;

export class BitrateControl {
  readonly #chosenBps: number;
  #bps: number;
  #loweredAtMs = Number.NEGATIVE_INFINITY;
  #calmSinceMs: number | undefined;

  /** `chosenBps`: what the line is tried with, and never exceeded. */
  constructor(chosenBps: number) {
    this.#chosenBps = chosenBps;
    this.#bps = chosenBps;
  }

  /** `backlogSegments`: closed and without a receipt. Returns the rate from now on, in bit/s. */
  update(backlogSegments: number, nowMs: number): number {
    if (backlogSegments > MAX_BACKLOG_SEGMENTS) {
      this.#calmSinceMs = undefined;
      if (nowMs - this.#loweredAtMs >= DOWN_INTERVAL_MS) {
        this.#loweredAtMs = nowMs;
        const lowest = Math.min(LOWEST_BPS, this.#chosenBps);
        this.#bps = Math.max(lowest, Math.round(this.#bps * DOWN));
      }
      return this.#bps;
    }
    this.#calmSinceMs ??= nowMs;
    if (nowMs - this.#calmSinceMs >= UP_AFTER_MS) {
      this.#calmSinceMs = nowMs;
      this.#bps = Math.min(this.#chosenBps, Math.round(this.#bps * UP));
    }
    return this.#bps;
  }
}
