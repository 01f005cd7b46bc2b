/** The kinds of job that make every rendition of one source segment: of a live stream, and of a whole file. */

import { type JobKind, parseSegmentJob, type SegmentJob } from './job-kind.ts';

export const transcode: JobKind<SegmentJob> = {
  name: 'transcode',
  class: 'live',
  weight: 1,
  blocksPublishing: true,
  schema: { parse: parseSegmentJob },
  // Loaded by workers alone: functions queue jobs and give them up, but run none.
  run: async (deps, job, context) =>
    (await import('./transcode-run.ts')).runTranscode(deps, job, context),
  /** The segment becomes a gap. */
  async giveUp({ records, clock }, job, reason) {
    const { run, number } = job;
    const completedAtMs = clock.now();
    await records.recordOutcome(job, { type: 'failed', run, number, reason, completedAtMs });
  },
};

/** Nobody waits for a file as viewers wait for live segments. */
export const transcodeFile: JobKind<SegmentJob> = {
  ...transcode,
  name: 'transcode-file',
  class: 'backfill',
};
