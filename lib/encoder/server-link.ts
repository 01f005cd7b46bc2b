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
  onChange(change: Readonly<{ unreachable: ApiError } | { backAfterMs: number }>): void;
}>;

/** The wait after so many failures in a row, with equal jitter. */
export const retryDelayMs = (failures: number): number =>
  equalJitter(backoffMs(failures, { firstMs: 300, maxMs: 10_000 }));

export class ServerLink {
  readonly signal: AbortSignal;
  readonly #retryForMs: number;
  readonly #onChange: ServerLinkOptions['onChange'];
  #unreachableSinceMs: number | undefined;
  #reported = false;

  constructor(options: ServerLinkOptions) {
    this.signal = options.signal;
    this.#retryForMs = options.retryForMs ?? Number.POSITIVE_INFINITY;
    this.#onChange = options.onChange;
  }

  /**
   * Repeats the call on failures that may pass. Throws `ApiError` for those that do not, `GaveUp` when
   * `retryForMs` have passed, and the reason of the signal.
   */
  async call<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      this.signal.throwIfAborted();
      try {
        const answer = await attempt(this.signal);
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
    await pause(ms, this.signal);
    this.signal.throwIfAborted();
  }

  #succeeded(): void {
    if (this.#unreachableSinceMs === undefined) return;
    const backAfterMs = Date.now() - this.#unreachableSinceMs;
    this.#unreachableSinceMs = undefined;
    if (this.#reported) this.#onChange({ backAfterMs });
    this.#reported = false;
  }

  #failed(error: ApiError, failures: number): void {
    this.#unreachableSinceMs ??= Date.now();
    if (Date.now() - this.#unreachableSinceMs >= this.#retryForMs) {
      const seconds = Math.round((Date.now() - this.#unreachableSinceMs) / 1000);
      throw new GaveUp(`The server did not take anything for ${seconds} s: ${error.message}`);
    }
    // A single failure is not reported.
    if (failures === 1 || this.#reported) return;
    this.#reported = true;
    this.#onChange({ unreachable: error });
  }
}
