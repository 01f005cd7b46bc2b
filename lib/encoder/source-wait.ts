/** How long a source that went away is waited for, and what the terminal says meanwhile. */

import { backoffMs, equalJitter } from '../base/retry.ts';

export type SourceWaitOptions = Readonly<{
  name: string;
  /** An encoder connects to us: it must find the address open again soon. */
  listens: boolean;
  warn(text: string): void;
  /** Milliseconds of a clock that never jumps. */
  now?: () => number;
  random?: () => number;
}>;

const FIRST_MS = 300;
const MAX_MS = 10_000;
const MAX_LISTENING_MS = 1000;
/** A connection that held for so long was a good one: the next wait is a short one. */
const GOOD_SECONDS = 10;
/** Another reason is told after so long, the same one again after so long. */
const REPEAT_MS = { other: 10_000, same: 60_000 } as const;

export class SourceWait {
  readonly #options: SourceWaitOptions;
  readonly #now: () => number;
  #failures = 0;
  #awaySinceMs: number | undefined;
  /** Of a source that comes and goes all the time not each coming is told. */
  #announced = false;
  #told: Readonly<{ why: string; atMs: number }> | undefined;

  constructor(options: SourceWaitOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The connection ended after so many seconds of media. Returns how long to wait, in milliseconds. */
  lost(why: string, mediaSeconds: number): number {
    const { listens, random, name, warn } = this.#options;
    this.#failures = mediaSeconds >= GOOD_SECONDS ? 1 : this.#failures + 1;
    const maxMs = listens ? MAX_LISTENING_MS : MAX_MS;
    const delayMs = equalJitter(backoffMs(this.#failures, { firstMs: FIRST_MS, maxMs }), random);
    const atMs = this.#now();
    this.#awaySinceMs ??= atMs;
    const told = this.#told;
    if (!told || atMs - told.atMs >= REPEAT_MS[told.why === why ? 'same' : 'other']) {
      this.#told = { why, atMs };
      this.#announced = true;
      warn(`Waiting for ${name}: ${why}; trying again in ${(delayMs / 1000).toFixed(1)} s.`);
    }
    return delayMs;
  }

  /** A segment came. */
  arrived(): void {
    const { name, warn } = this.#options;
    if (this.#awaySinceMs === undefined) return;
    const seconds = ((this.#now() - this.#awaySinceMs) / 1000).toFixed(1);
    this.#awaySinceMs = undefined;
    if (this.#announced) warn(`${name} sends media, after ${seconds} s.`);
    this.#announced = false;
  }
}
