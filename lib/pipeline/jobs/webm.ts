/** The kind of job that makes a segment as WebM: VP9 and Opus, of its H.264 and AAC renditions. */

import type { PieceKeys, SoundKeys } from '../view/segment-files/read-pieces.ts';
import { type FileJob, fileJobKind } from './file-job.ts';

/** At least one of picture and sound is there. */
export type WebmJob = FileJob &
  Readonly<{
    /** Of the segment, in ticks of the timeline. */
    startTicks: number;
    endTicks: number;
    picture?: (PieceKeys & Readonly<{ maxrateBps: number }>) | undefined;
    sound?: SoundKeys | undefined;
  }>;

export const webm = fileJobKind<WebmJob>({
  name: 'webm',
  // One rung, of a picture of its size.
  weight: 0.3,
  schema: { parse: parseJob },
  make: async (deps, _stream, job, context) =>
    (await import('./webm-run.ts')).makeWebm(deps, job, context),
});

/** Throws TypeError. Without a validation library, as for segments; we queue such jobs ourselves. */
function parseJob(message: unknown): WebmJob {
  const job = message as WebmJob;
  const { videoId, uid, key, startTicks, endTicks } = job;
  const isJob =
    [videoId, uid, key].every((text) => typeof text === 'string') && startTicks < endTicks;
  if (isJob && (job.picture || job.sound)) return job;
  throw new TypeError(`This is no job for a WebM file: ${JSON.stringify(message)}`);
}
