/** Whether a job that was queued once still waits or runs, for requests that must not queue it twice. */

import type { Deps } from '../deps.ts';
import { JOB_QUEUES, type JobBody, type JobKind } from './job-kind.ts';

/** After it a job without an end counts as lost, or as given up, if its queue is empty. */
const LOST_MS = 15 * 60_000;

/** A job that waits is not lost, however long it waits. */
export async function isOnItsWay<Body extends JobBody>(
  { queues, clock }: Pick<Deps, 'queues' | 'clock'>,
  kind: Pick<JobKind<Body>, 'class'>,
  queuedAtMs: number,
): Promise<boolean> {
  const ageMs = clock.now() - queuedAtMs;
  // One from the future is from before the clock was set back.
  if (ageMs >= 0 && ageMs < LOST_MS) return true;
  const { ready, inFlight, delayed } = await queues[JOB_QUEUES[kind.class]].depth();
  return ready + inFlight + delayed > 0;
}
