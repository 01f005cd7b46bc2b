/** A kind of job: all that is to be known of one sort of work that workers do. One file each. */

import { withTrack } from '../../domain/languages/language-track.ts';
import type { JobQueue } from '../../ports/queues.ts';
import type { WorkerDeps } from '../deps.ts';

/** `live`: viewers wait for it. `backfill`: somebody does, but not now. `analysis`: when nothing else waits. */
export type JobClass = 'live' | 'backfill' | 'analysis';

/** Most urgent first: the order in which workers take jobs. */
export const JOB_QUEUES: Readonly<Record<JobClass, JobQueue>> = {
  live: 'liveJobs',
  backfill: 'backfillJobs',
  analysis: 'analysisJobs',
};

/** Streams share the workers, so every job names its stream. */
export type JobBody = Readonly<{ videoId: string; uid: string }>;

/** The body of a job about one segment; of every kind that publishing waits for. */
export type SegmentJob = JobBody &
  Readonly<{
    run: number;
    number: number;
    /** The segment is one of this source track (`withTrack`). */
    track?: string;
  }>;

/** Throws TypeError. Without a validation library, which uploads would load in every cold start. */
export function parseSegmentJob(message: unknown): SegmentJob {
  const { videoId, uid, track, run, number } = message as Readonly<
    Record<keyof SegmentJob, unknown>
  >;
  const isJob =
    typeof videoId === 'string' &&
    typeof uid === 'string' &&
    (track === undefined || typeof track === 'string') &&
    Number.isInteger(run) &&
    Number.isInteger(number);
  if (isJob) {
    return withTrack({ videoId, uid, run: Number(run), number: Number(number) }, track);
  }
  throw new TypeError(`This is no job of a segment: ${JSON.stringify(message)}`);
}

export type JobContext = Readonly<{
  /** For temporary files; shared with other jobs of the worker. */
  workFolder: string;
  /** Of each encoder; absent: as many as there are cores. */
  threads?: number;
  /** Aborted when the worker stops, or has lost the job to another one. */
  signal: AbortSignal;
}>;

/** `obsolete`: what the job is about is gone; there is nothing to report. */
export type JobResult = 'done' | 'failed' | 'obsolete';

export type JobKind<Body extends JobBody = JobBody> = Readonly<{
  name: string;
  class: JobClass;
  /** Work of one job as a multiple of a transcode, for scaling. */
  weight: number;
  /** Whether the publisher waits for the outcome; it is then notified of every end of a job. */
  blocksPublishing: boolean;
  /** Parses a message. Throws if it is no job of this kind. */
  schema: Readonly<{ parse(message: unknown): Body }>;
  /** Does the job; doing it twice must change nothing. Throws when another try may help. */
  run(deps: WorkerDeps, job: Body, context: JobContext): Promise<JobResult>;
  /** Records that every try has failed, so that nothing waits for the job any more. */
  giveUp(deps: Omit<WorkerDeps, 'media'>, job: Body, reason: string): Promise<void>;
}>;
