/** Feeds damaged bodies to the threads that inspect uploads, as the gateway does, and counts what comes out. */

import { DomainError } from '../../lib/domain/errors.ts';
import { inspectionThreads } from '../../lib/media/threads/media-threads.ts';
import { damagedBody, type FuzzBody, makeWholeBodies } from './bodies.ts';

export type FuzzFault = Readonly<{ seed: number; kind: string; what: string }>;

export type FuzzReport = Readonly<{
  bodies: number;
  /** `taken`, or the code of the refusal. */
  outcomes: Readonly<Record<string, number>>;
  /** Beyond a limit of time or memory, or anything but a DomainError. */
  faults: readonly FuzzFault[];
  slowest: Readonly<{ seed: number; ms: number }>;
}>;

export type FuzzOptions = Readonly<{
  /** Of the first body; each further one has the next number. */
  seed: number;
  bodies: number;
  /** Ends early after so many. */
  maxFaults?: number;
  onProgress?: (done: number) => void;
}>;

const AT_ONCE = 2;

export async function fuzzInspection(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, bodies, maxFaults = Number.POSITIVE_INFINITY, onProgress } = options;
  const whole = await makeWholeBodies();
  const outcomes: Record<string, number> = {};
  const faults: FuzzFault[] = [];
  let slowest = { seed, ms: 0 };
  let next = 0;
  const work = async (): Promise<void> => {
    // Told before the refusal is thrown.
    let thrown: unknown;
    const threads = inspectionThreads((error) => {
      thrown = error;
    });
    const inspect = ({ bytes, init, isInit }: FuzzBody): Promise<unknown> =>
      isInit
        ? threads.run('inspectInit', '', [bytes])
        : threads.run('inspectSegment', '', [bytes, init]);
    while (next < bodies && faults.length < maxFaults) {
      const body = damagedBody(whole, seed + next);
      next += 1;
      thrown = undefined;
      const startMs = performance.now();
      const outcome = await inspect(body).then(
        () => 'taken',
        (error: unknown) => error,
      );
      const ms = performance.now() - startMs;
      if (ms > slowest.ms) slowest = { seed: body.seed, ms };
      const what = faultOf(outcome, thrown);
      if (what) faults.push({ seed: body.seed, kind: body.kind, what });
      const name = outcome instanceof DomainError ? outcome.code : String(outcome);
      outcomes[name] = (outcomes[name] ?? 0) + 1;
      onProgress?.(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { bodies: next, outcomes, faults, slowest };
}

function faultOf(outcome: unknown, thrown: unknown): string | undefined {
  if (thrown instanceof Error) return thrown.message.split('\n').slice(0, 3).join(' ');
  if (outcome === 'taken') return undefined;
  if (!(outcome instanceof DomainError)) return String(outcome);
  const isLimit =
    /could not be read within/.test(outcome.message) || outcome.code === 'unavailable';
  return isLimit ? outcome.message : undefined;
}
