/** Tries again what the SDK does not: failures that only we know to be passing. */

const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 1_000;
const MAX_ATTEMPTS = 10;

/**
 * Waits a random part of a bound that doubles each time, so that those who collided once do not
 * collide again. Throws the last error.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
  maxAttempts = MAX_ATTEMPTS,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= maxAttempts || !isPassing(error)) throw error;
    }
    const boundMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * boundMs));
  }
}

/** `name` of an SDK error: the service's code for what went wrong. */
export const errorName = (error: unknown): string => (error instanceof Error ? error.name : '');
