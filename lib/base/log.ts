/** A process's log: one JSON object a line. */

/** To standard output. */
export const log = (entry: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));

/** To standard error. `what` was done when it failed; `fields` are further properties of the line. */
export function reportError(
  error: unknown,
  what: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const time = new Date().toISOString();
  console.error(JSON.stringify({ time, level: 'error', what, ...fields, error: text }));
}
