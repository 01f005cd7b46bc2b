/** Repeating what failed: how long to wait, and the loop around one call. */

import { setTimeout as sleep } from 'node:timers/promises';

export type Backoff = Readonly<{ firstMs: number; maxMs: number }>;

/** The wait after so many failures in a row (1 or more): it doubles up to a maximum. */
export const backoffMs = (failures: number, { firstMs, maxMs }: Backoff): number =>
  Math.min(maxMs, firstMs * 2 ** (failures - 1));

/** A random part of the wait: callers that collided once do not collide again. */
export const fullJitter = (ms: number, random = Math.random): number => ms * random();

/** At least half of the wait: many callers do not come back at the same moment, nor at once. */
export const equalJitter = (ms: number, random = Math.random): number => ms * (0.5 + random() / 2);

/** Ends early, without an error, when the signal is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms, undefined, signal && { signal }).catch(() => undefined);

export type RetryOptions = Readonly<{
  /** Whether a failure may pass: others are thrown at once. */
  isPassing(error: unknown): boolean;
  maxAttempts: number;
  backoff: Backoff;
}>;

/** Waits with full jitter between attempts. Throws the last error. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= options.maxAttempts || !options.isPassing(error)) throw error;
    }
    await pause(fullJitter(backoffMs(failures, options.backoff)));
  }
}
