/** Ctrl-C once: come to an end. Twice: stop. */

export type Interrupts = Readonly<{
  /** The segment that is being cut shall be the last. */
  finish: AbortSignal;
  /** Nothing more shall be waited for. */
  abort: AbortSignal;
  /** As a shell counts it: 128 and the signal's number. */
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
      if (finish.signal.aborted) abort.abort(new Interrupted());
      finish.abort(new Interrupted());
    });
  }
  return { finish: finish.signal, abort: abort.signal, exitCode: () => exitCode };
}

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
