/** Calls to the server that are repeated until they come through. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../api/client.ts';

/** The encoder stops: repeating would not help, or was tried for long enough. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

export type ServerLinkOptions = Readonly<{
  signal: AbortSignal;
  /** Give up when no call came through for so long. */
  retryForMs?: number | undefined;
  /** The server is out of reach, or back after so long. */
  onChange(change: Readonly<{ away: ApiError } | { backAfterMs: number }>): void;
}>;

const FIRST_DELAY_MS = 300;
const MAX_DELAY_MS = 10_000;

/** Half of it is chance, so that many encoders do not come back at one moment. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return ceiling * (0.5 + random() / 2);
}

export class ServerLink {
  readonly signal: AbortSignal;
  readonly #retryForMs: number;
  readonly #onChange: ServerLinkOptions['onChange'];
  #awaySinceMs: number | undefined;
  #told = false;

  constructor(options: ServerLinkOptions) {
    this.signal = options.signal;
    this.#retryForMs = options.retryForMs ?? Number.POSITIVE_INFINITY;
    this.#onChange = options.onChange;
  }

  get isAway(): boolean {
    return this.#awaySinceMs !== undefined;
  }

  /**
   * Repeats the call on failures that may pass. Throws `ApiError` for those that will not, `GaveUp`
   * when it was tried for too long, and the reason of the signal.
   */
  async call<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      this.signal.throwIfAborted();
      try {
        const answer = await attempt(this.signal);
        this.#cameThrough();
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!error.retryable) {
          this.#cameThrough();
          throw error;
        }
        this.#failed(error, tries);
        await this.pause(error.retryAfterMs ?? backoffMs(tries));
      }
    }
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal }).catch(() => this.signal.throwIfAborted());
  }

  #cameThrough(): void {
    if (this.#awaySinceMs === undefined) return;
    const backAfterMs = Date.now() - this.#awaySinceMs;
    this.#awaySinceMs = undefined;
    if (this.#told) this.#onChange({ backAfterMs });
    this.#told = false;
  }

  #failed(error: ApiError, tries: number): void {
    this.#awaySinceMs ??= Date.now();
    if (Date.now() - this.#awaySinceMs >= this.#retryForMs) {
      const seconds = Math.round((Date.now() - this.#awaySinceMs) / 1000);
      throw new GaveUp(`The server did not take anything for ${seconds} s: ${error.message}`);
    }
    // One failure alone is weather.
    if (tries === 0 || this.#told) return;
    this.#told = true;
    this.#onChange({ away: error });
  }
}
