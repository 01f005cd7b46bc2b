/** The kind of job that cuts a whole file into segments, a step of them at a time. */

import { changeUploadedFile } from '../../records/uploaded-file-records.ts';
import type { JobBody, JobKind } from '../job-kind.ts';
import { endOfFile } from './split-file-end.ts';

export type SplitFileJob = JobBody & Readonly<{ fileId: number }>;

export const splitFile: JobKind<SplitFileJob> = {
  name: 'split-file',
  class: 'backfill',
  // It reads and writes; where it has to encode, it takes as long as a few segments.
  weight: 1,
  blocksPublishing: false,
  schema: { parse: parseSplitFileJob },
  run: async (deps, job, context) =>
    (await import('./split-file-run.ts')).runSplitFile(deps, job, context),
  /** What came of the file stays, and its stream ends. */
  async giveUp(deps, job, reason) {
    const failed = await changeUploadedFile(deps, job, job.fileId, (file) => ({
      ...file,
      state: 'failed',
      failure: {
        code: 'unavailable',
        message: `The file could not be processed: ${reason}.`,
        hint: 'Send it under another name to try again, and look into the log of the workers.',
      },
    }));
    if (failed) await endOfFile(deps, job, failed);
  },
};

/** Throws TypeError. Without a validation library, as for segments. */
function parseSplitFileJob(message: unknown): SplitFileJob {
  const { videoId, uid, fileId } = message as Readonly<Record<keyof SplitFileJob, unknown>>;
  if (typeof videoId === 'string' && typeof uid === 'string' && Number.isInteger(fileId)) {
    return { videoId, uid, fileId: Number(fileId) };
  }
  throw new TypeError(`This is no job of a file: ${JSON.stringify(message)}`);
}
