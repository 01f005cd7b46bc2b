/** What is said of segments that the server refused: each reason once, and how often it came again. */

import { GaveUp } from './server-link.ts';

/** So many in a row, and nothing else: the next ones will be refused as well. */
const MAX_IN_A_ROW = 30;

export class Refusals {
  readonly #warn: (text: string) => void;
  readonly #repeated = new Map<string, number>();
  #inARow = 0;
  count = 0;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  accepted(): void {
    this.#inARow = 0;
  }

  /** `code`: of the reason. Throws `GaveUp` when nothing is accepted any more. */
  add(warning: string, code: string): void {
    this.count += 1;
    // What waited for longer than the recording is kept is refused; what was recorded later is not.
    if (code !== 'expired') this.#inARow += 1;
    const repeated = this.#repeated.get(code);
    this.#repeated.set(code, repeated === undefined ? 0 : repeated + 1);
    if (repeated === undefined) this.#warn(warning);
    if (this.#inARow < MAX_IN_A_ROW) return;
    throw new GaveUp(
      `${MAX_IN_A_ROW} in a row were refused, the last one as ${code}: it makes no sense to go on.`,
    );
  }

  /** At the end. */
  summarize(): void {
    for (const [code, repeated] of this.#repeated) {
      if (repeated > 0) this.#warn(`${repeated} more were refused (${code}).`);
    }
  }
}
