/** How often an encoder that fails begins again. Pure. */

const MAX_RESTARTS = 3;
const WINDOW_MS = 60_000;

export class RestartLimit {
  #restartsMs: number[] = [];

  /** Counts the restart. false: it has failed too often in the last minute. */
  mayRestart(nowMs: number): boolean {
    this.#restartsMs = this.#restartsMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    this.#restartsMs.push(nowMs);
    return this.#restartsMs.length <= MAX_RESTARTS;
  }
}
