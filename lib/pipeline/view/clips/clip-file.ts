/** The file of a clip, or of a whole recording: found, or requested. */

import { createHash } from 'node:crypto';
import type { ClipBound } from '../../../domain/clip.ts';
import { DomainError } from '../../../domain/errors.ts';
import { savedFileKey } from '../../../domain/object-keys.ts';
import { chooseVideo, presentationOf } from '../../../domain/presentation.ts';
import { ticksToSeconds } from '../../../domain/ticks.ts';
import { getStream } from '../../auth.ts';
import type { Deps } from '../../deps.ts';
import { clip } from '../../jobs/clip.ts';
import { type RequestedFile, requestFile } from '../../jobs/file-request.ts';
import { CaptionLogs } from '../captions/caption-logs.ts';
import { clipCaptionsVersion } from './clip-captions-version.ts';
import { type ClipQuery, clipBounds, clipEntries, emptyClip } from './clip-entries.ts';

/** Of the way in which files are made: another one makes other files. */
const FORM = 2;

export type ClipFileQuery = ClipQuery &
  Readonly<{
    /** A rung's name; left out: the best. */
    resolution?: string | undefined;
  }>;

/**
 * Throws `stream_not_found`, `bad_request`, `moment_not_found`, `rendition_not_found`, and what the job
 * failed with. `logs`: of a warm process.
 */
export async function requestClipFile(
  deps: Deps,
  videoId: string,
  query: ClipFileQuery,
  logs = new CaptionLogs(deps),
): Promise<RequestedFile> {
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await deps.records.timeline(stream);
  const { from, to } = clipBounds(query, state);
  const presentation = presentationOf(state);
  if (query.resolution === 'source') {
    throw new DomainError(
      'rendition_not_found',
      'Clips are made of renditions, not of the source.',
      `Ask for ${presentation.video.map(({ name }) => name).join(', ')}.`,
    );
  }
  const resolution = chooseVideo(presentation, query.resolution)?.name;
  const bounds = { from, to };
  const first = await clipEntries(deps, stream, state, bounds).next();
  if (first.done) throw emptyClip(stream, state, bounds);
  const { entry } = first.value;
  const captionsVersion = await clipCaptionsVersion(deps, logs, stream, state, bounds, entry);
  const tracks = presentation.captions.map(({ name, label }) => [name, label]);
  const { lateArrivals, nextSequence, kept } = state;
  const media = [from, to ?? nextSequence, resolution, lateArrivals, kept?.version];
  const content = JSON.stringify([FORM, media, captionsVersion, tracks]);
  const digest = createHash('sha256').update(content).digest('hex');
  const name = [videoId, spanName(from, to), resolution ?? 'audio'].filter(Boolean).join('-');
  const key = savedFileKey(stream, digest, `${name}.mp4`);
  const job = { videoId, uid: stream.uid, key, from, to, resolution, captionsVersion };
  return requestFile(deps, stream, clip, job);
}

/** As in a file's name: `1h02m03-1h05m00`, or the wall clock. */
function spanName(from: ClipBound | undefined, to: ClipBound | undefined): string {
  return [from, to].flatMap((bound) => (bound ? [boundName(bound)] : [])).join('-');
}

function boundName(bound: ClipBound): string {
  if ('instantMs' in bound) {
    return new Date(bound.instantMs).toISOString().slice(0, 19).replaceAll(':', '.');
  }
  const seconds = Math.floor(ticksToSeconds(bound.offsetTicks));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m${two(seconds % 60)}`;
}
