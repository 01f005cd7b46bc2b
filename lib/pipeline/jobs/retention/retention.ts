/** The kind of job that plans what of a stream expires, and removes what has expired for a day. */

import type { JobBody, JobKind } from '../job-kind.ts';

/** `from`: goes on with what begins at this sequence; `isFirst`: nothing is kept before it. */
export type RetentionJob = JobBody & Readonly<{ from?: number; isFirst?: boolean }>;

export const retention: JobKind<RetentionJob> = {
  name: 'retention',
  class: 'analysis',
  // It waits for the stores most of the time.
  weight: 0.25,
  blocksPublishing: false,
  schema: { parse: parseJob },
  run: async (deps, job, context) =>
    (await import('./retention-run.ts')).runRetention(deps, job, context),
  /** Nothing waits for it: the next check of all streams queues it again. */
  async giveUp() {},
};

/** Throws TypeError. Without a validation library, as for segments. */
function parseJob(message: unknown): RetentionJob {
  const { videoId, uid, from, isFirst } = message as Readonly<Record<keyof RetentionJob, unknown>>;
  const isJob =
    typeof videoId === 'string' &&
    typeof uid === 'string' &&
    (from === undefined || (Number.isInteger(from) && typeof isFirst === 'boolean'));
  if (!isJob) throw new TypeError(`This is no job of retention: ${JSON.stringify(message)}`);
  return {
    videoId,
    uid,
    ...(from !== undefined && { from: Number(from), isFirst: isFirst === true }),
  };
}
