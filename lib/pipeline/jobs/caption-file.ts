/** The kind of job that makes the file of a track of captions, of a recording that no request can read. */

import { type FileJob, fileJobKind } from './file-job.ts';

export const CAPTION_FORMATS = ['vtt', 'srt'] as const;
export type CaptionFormat = (typeof CAPTION_FORMATS)[number];

export type CaptionFileJob = FileJob &
  Readonly<{
    track: string;
    format: CaptionFormat;
    /** Of the captions. */
    version: number;
    /** How many of the timeline. */
    entries: number;
  }>;

export const captionFileJob = fileJobKind<CaptionFileJob>({
  name: 'captions',
  // Records are read and printed; nothing is decoded.
  weight: 0.1,
  schema: { parse: parseJob },
  make: async (deps, stream, job) =>
    (await import('./caption-file-run.ts')).makeCaptionFile(deps, stream, job),
});

/** Throws TypeError. Without a validation library, as for segments. */
function parseJob(message: unknown): CaptionFileJob {
  const job = message as CaptionFileJob;
  const { videoId, uid, key, track, format, version, entries } = job;
  const isJob =
    [videoId, uid, key, track].every((text) => typeof text === 'string') &&
    CAPTION_FORMATS.includes(format) &&
    [version, entries].every(Number.isSafeInteger);
  if (isJob) return { videoId, uid, key, track, format, version, entries };
  throw new TypeError(`This is no job for a file of captions: ${JSON.stringify(message)}`);
}
