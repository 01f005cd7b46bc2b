/** The kind of job that makes and stores the media playlists of a long recording, of all renditions at once. */

import type { JobBody, JobKind } from './job-kind.ts';

export const recordingPlaylists: JobKind = {
  name: 'recording-playlists',
  class: 'backfill',
  // It is long only where a stream was, and then takes one core; of a stream there is one at a time.
  weight: 0.25,
  blocksPublishing: false,
  schema: { parse: parseJob },
  run: async (deps, job, context) =>
    (await import('./recording-playlists-run.ts')).runRecordingPlaylists(deps, job, context),
  /** Nothing waits for it: viewers have the live playlists, and one of them requests the job again. */
  async giveUp() {},
};

/** Throws TypeError. Without a validation library, as for segments. */
function parseJob(message: unknown): JobBody {
  const { videoId, uid } = message as Readonly<Record<keyof JobBody, unknown>>;
  if (typeof videoId === 'string' && typeof uid === 'string') return { videoId, uid };
  throw new TypeError(`This is no job of a stream: ${JSON.stringify(message)}`);
}
