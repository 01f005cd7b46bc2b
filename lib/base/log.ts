/** A process's log: one JSON object a line. */

/** To standard output. */
export const log = (entry: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));

/** When an error that lasts was last written, by its message; few such messages exist. */
const written = new Map<string, number>();

/**
 * To standard error. `what` was done when it failed; `fields` are further properties of the line. Of an
 * error that has `logIntervalMs` the message alone is written, once in that time.
 */
export function reportError(
  error: unknown,
  what: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  if (error instanceof Error && 'logIntervalMs' in error) {
    const nowMs = performance.now();
    const lastMs = written.get(error.message) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - lastMs < Number(error.logIntervalMs)) return;
    written.set(error.message, nowMs);
    error = error.message;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const time = new Date().toISOString();
  console.error(JSON.stringify({ time, level: 'error', what, ...fields, error: text }));
}
