/** Ctrl-C once finishes what was begun; twice stops at once. */

import { addAbortListener } from 'node:events';

export type Interrupts = Readonly<{
  /** Aborted by the first: the segment that is being cut is the last one. */
  finish: AbortSignal;
  /** Aborted by the second: nothing is waited for any more. */
  abort: AbortSignal;
  /** As a shell reports it: 128 plus the signal's number. */
  exitCode(): number;
}>;

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function listenForInterrupts(process: NodeJS.Process): Interrupts {
  const finish = new AbortController();
  const abort = new AbortController();
  let exitCode = 130;
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      exitCode = code;
      if (finish.signal.aborted) abort.abort();
      finish.abort();
    });
  }
  return { finish: finish.signal, abort: abort.signal, exitCode: () => exitCode };
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => addAbortListener(signal, () => resolve()));
