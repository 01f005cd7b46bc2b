/** Keeps the encoder of one camera running. */

import { UsageError } from '../base/command-line.ts';
import { backoffMs, equalJitter, pause } from '../base/retry.ts';
import type { Interrupts } from '../encoder/interrupts.ts';
import type { Progress, ProgressOptions } from '../encoder/progress.ts';
import type { CameraStatus } from './camera-status.ts';

export type RunCameraOptions = Readonly<{
  /** One run of the encoder: resolves with its exit code, or throws. */
  encode(
    interrupts: Interrupts,
    startProgress: (options: ProgressOptions) => Progress,
  ): Promise<number>;
  status: CameraStatus;
  interrupts: Interrupts;
  /** Resolves after so long, or when the signal is aborted. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  random?: () => number;
}>;

const BACKOFF = { firstMs: 1000, maxMs: 60_000 } as const;

/** Starts the encoder again whenever it ends, later each time that it sent nothing. Resolves after an interrupt. */
export async function runCamera(options: RunCameraOptions): Promise<void> {
  const { encode, status, interrupts, wait = pause, random } = options;
  const { finish } = interrupts;
  for (let failures = 1; ; failures += 1) {
    // Of its own for each run: listeners of runs that are over must not add up.
    const own = { ...interrupts, finish: AbortSignal.any([finish]) };
    let end: string;
    try {
      const code = await encode(own, status.startProgress);
      end = code === 0 ? 'the camera ended' : (status.trouble ?? `the encoder ended with ${code}`);
    } catch (error) {
      end = reasonOf(error);
    }
    if (finish.aborted) return status.end('ended');
    if (status.segments > 0) failures = 1;
    const waitMs = equalJitter(backoffMs(failures, BACKOFF), random);
    status.warn(end);
    status.end(
      `${(status.trouble ?? end).replace(/\.$/, '')}; starting again in ${Math.ceil(waitMs / 1000)} s.`,
    );
    await wait(waitMs, finish);
    if (finish.aborted) return status.end('ended');
  }
}

/** The message of what the user can mend; of a fault of ours where it was, too. */
const reasonOf = (error: unknown): string =>
  error instanceof UsageError
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
