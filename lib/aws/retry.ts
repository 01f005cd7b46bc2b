/** Repeats calls that the SDK does not: only we know that their failures pass. */

import { retry } from '../base/retry.ts';

/** Throws the last error. */
export const retryCall = <T>(
  attempt: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
  maxAttempts = 10,
): Promise<T> => retry(attempt, { isPassing, maxAttempts, backoff: { firstMs: 50, maxMs: 1_000 } });

/** `name` of an SDK error: the service's code for what went wrong. */
export const errorName = (error: unknown): string => (error instanceof Error ? error.name : '');
