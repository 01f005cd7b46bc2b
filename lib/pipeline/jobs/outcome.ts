/** How jobs end that came to nothing, and how the publisher hears of any end. */

import type { SegmentOutcome } from '../../domain/segment.ts';
import type { Deps } from '../deps.ts';
import type { TranscodeJob } from '../message-schemas.ts';
import { sendPublish } from '../messages.ts';

export type WorkerDeps = Omit<Deps, 'ownerKeyHash' | 'fleet'>;

/** For a job that was tried too often: nobody shall wait for its segment. */
export async function failJob(deps: WorkerDeps, job: TranscodeJob, reason: string): Promise<void> {
  const { records } = deps;
  await records.recordOutcome(job, failure(deps, job, reason));
  await notifyPublisher(deps, job);
}

export const failure = (
  { clock }: WorkerDeps,
  { run, number }: Readonly<{ run: number; number: number }>,
  reason: string,
): SegmentOutcome => ({ type: 'failed', run, number, reason, completedAtMs: clock.now() });

export const notifyPublisher = (deps: WorkerDeps, { videoId, uid, run, number }: TranscodeJob) =>
  sendPublish(deps, { videoId, uid, settled: { run, number } });
