/** The kind of job that makes the file of a clip, or of a whole recording. */

import type { ClipBound, ClipBounds } from '../../domain/clip.ts';
import { type FileJob, fileJobKind } from './file-job.ts';

export type ClipJob = FileJob &
  ClipBounds &
  Readonly<{
    /** Name of the video rendition; undefined: the stream has none. */
    resolution?: string | undefined;
  }>;

export const clip = fileJobKind<ClipJob>({
  name: 'clip',
  // Two segments are encoded, in one size; the rest is copied.
  weight: 0.5,
  schema: { parse: parseJob },
  make: async (...job) => (await import('./clip-run.ts')).makeClip(...job),
});

/** Throws TypeError. Without a validation library, as for segments. */
function parseJob(message: unknown): ClipJob {
  const { videoId, uid, key, resolution, from, to } = message as Readonly<Record<string, unknown>>;
  if (
    typeof videoId === 'string' &&
    typeof uid === 'string' &&
    typeof key === 'string' &&
    (resolution === undefined || typeof resolution === 'string') &&
    isBound(from) &&
    isBound(to)
  ) {
    return { videoId, uid, key, resolution, from, to };
  }
  throw new TypeError(`This is no job of a clip: ${JSON.stringify(message)}`);
}

function isBound(value: unknown): value is ClipBound | undefined {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).length === 1 && Number.isFinite(Object.values(value)[0]);
}
