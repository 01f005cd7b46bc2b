/** Calls to the server, repeated until they succeed. */

import { ApiError } from '../api/client.ts';
import { backoffMs, equalJitter, pause } from '../base/retry.ts';

/** The encoder stops: repeating does not help, or did not for as long as was asked. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

export type ServerLinkOptions = Readonly<{
  signal: AbortSignal;
  /** Give up when no call succeeded for so long; undefined: never. */
  retryForMs?: number | undefined;
  /** What waits for the server, and where; for messages. */
  waiting: string;
  warn(text: string): void;
}>;

/** The wait after so many failures in a row, with equal jitter. */
export const retryDelayMs = (failures: number): number =>
  equalJitter(backoffMs(failures, { firstMs: 300, maxMs: 10_000 }));

export class ServerLink {
  readonly #options: ServerLinkOptions;
  #unreachableSinceMs: number | undefined;
  #reported = false;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
  }

  /**
   * Repeats the call on failures that may pass. Throws `ApiError` for those that do not, `GaveUp` when
   * `retryForMs` have passed, and the reason of the signal.
   */
  async call<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        const answer = await attempt(signal);
        this.#succeeded();
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!error.retryable) {
          this.#succeeded();
          throw error;
        }
        this.#failed(error, failures);
        await this.pause(error.retryAfterMs ?? retryDelayMs(failures));
      }
    }
  }

  /** Throws the reason of the signal. */
  async pause(ms: number): Promise<void> {
    await pause(ms, this.#options.signal);
    this.#options.signal.throwIfAborted();
  }

  #succeeded(): void {
    if (this.#unreachableSinceMs === undefined) return;
    const seconds = ((performance.now() - this.#unreachableSinceMs) / 1000).toFixed(1);
    this.#unreachableSinceMs = undefined;
    if (this.#reported) this.#options.warn(`The server is back after ${seconds} s.`);
    this.#reported = false;
  }

  #failed(error: ApiError, failures: number): void {
    const { retryForMs = Number.POSITIVE_INFINITY, waiting, warn } = this.#options;
    this.#unreachableSinceMs ??= performance.now();
    if (performance.now() - this.#unreachableSinceMs >= retryForMs) {
      const seconds = Math.round((performance.now() - this.#unreachableSinceMs) / 1000);
      throw new GaveUp(`The server did not take anything for ${seconds} s: ${error.message}`);
    }
    // A single failure is not reported.
    if (failures === 1 || this.#reported) return;
    this.#reported = true;
    warn(`The server does not answer: ${error.message}; ${waiting}.`);
  }
}
