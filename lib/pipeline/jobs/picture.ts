/** The kind of job that makes a JPEG of one frame, for a viewer who asked for it. */

import { type FileJob, fileJobKind } from './file-job.ts';

export type PictureJob = FileJob &
  Readonly<{
    /** The piece of a video rendition that has the frame. */
    pieceKey: string;
    initKey: string;
    /** Among the frames of the piece as they are shown, from 0 on. */
    frame: number;
    widthPx: number;
  }>;

const TEXTS = ['videoId', 'uid', 'key', 'pieceKey', 'initKey'] as const;
const NUMBERS = ['frame', 'widthPx'] as const;

/** Throws TypeError. */
function parsePictureJob(message: unknown): PictureJob {
  const job = message as PictureJob;
  const isJob =
    TEXTS.every((name) => typeof job[name] === 'string') &&
    NUMBERS.every((name) => Number.isSafeInteger(job[name]));
  if (!isJob) throw new TypeError(`This is no job of a picture: ${JSON.stringify(message)}`);
  const { videoId, uid, key, pieceKey, initKey, frame, widthPx } = job;
  return { videoId, uid, key, pieceKey, initKey, frame, widthPx };
}

export const picture = fileJobKind<PictureJob>({
  name: 'picture',
  weight: 0.1,
  schema: { parse: parsePictureJob },
  // Loaded by workers alone.
  make: async (deps, _stream, job, context) =>
    (await import('./picture-run.ts')).makePicture(deps, job, context),
});
