/** The captions of a track as one file: printed when asked, or made by a job where that takes too long. */

import { createHash } from 'node:crypto';
import { type CaptionsState, trackNotFound } from '../../../domain/captions/caption.ts';
import { savedFileKey } from '../../../domain/object-keys.ts';
import { captionsIn } from '../../../domain/presentation.ts';
import { isLongRecording } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import { getStream } from '../../auth.ts';
import type { Deps } from '../../deps.ts';
import { type CaptionFormat, captionFileJob } from '../../jobs/caption-file.ts';
import { type RequestedFile, requestFile } from '../../jobs/file-request.ts';
import type { CaptionLogs } from './caption-logs.ts';
import { printCaptions } from './print-captions.ts';

/** A function's answer has 6 MB, in which JSON escapes the ends of lines. */
const MAX_CHARACTERS = 4_000_000;
/** The file of a live stream is made anew with as many entries more. */
const LIVE_STEP = 500;
/** Of the way in which files are made. */
const FORM = 1;

/**
 * `name`: a language, or the name of a track. Of a live stream: what there is so far; of a long one not its
 * newest minutes. Throws `stream_not_found`, `captions_not_found`, and what the job failed with.
 */
export async function captionFile(
  deps: Deps,
  logs: CaptionLogs,
  videoId: string,
  name: string,
  format: CaptionFormat,
): Promise<string | RequestedFile> {
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await deps.records.timeline(stream);
  const { version = 0, tracks = {} } = state.captions ?? {};
  const track = chooseTrack(tracks, name);
  if (track === undefined) throw trackNotFound(videoId, name, Object.keys(tracks));
  const what = { track, format, version };
  if (isLongRecording(state, deps.longEntries)) return requestMade(deps, stream, state, what);
  const text = await printCaptions(deps, logs, stream, state, what);
  return text.length <= MAX_CHARACTERS ? text : requestMade(deps, stream, state, what);
}

/** While the stream is live its captions change faster than a job runs: one file serves for some minutes. */
function requestMade(
  deps: Deps,
  stream: Stream,
  { nextSequence, lateArrivals, kept, endedAtMs }: TimelineState,
  { track, format, version }: Readonly<{ track: string; format: CaptionFormat; version: number }>,
): Promise<RequestedFile> {
  const { videoId, uid } = stream;
  const isLive = endedAtMs === undefined;
  const entries = isLive ? nextSequence - (nextSequence % LIVE_STEP) : nextSequence;
  const state = isLive ? 'live' : [version, lateArrivals, kept?.version];
  const content = JSON.stringify([FORM, track, entries, state]);
  const digest = createHash('sha256').update(content).digest('hex');
  const key = savedFileKey(stream, digest, `${videoId}-${track}.${format}`);
  return requestFile(deps, stream, captionFileJob, {
    ...{ videoId, uid, key },
    ...{ track, format, version, entries },
  });
}

/** By its name, else the plainest of a language; forced ones are asked for by their name. */
function chooseTrack(tracks: CaptionsState['tracks'], name: string): string | undefined {
  if (tracks[name]) return name;
  const offered = Object.entries(tracks).map(([track, { language, isForced, isSdh }]) => {
    return { track, language, isForced: isForced ?? false, isSdh: isSdh ?? false };
  });
  return captionsIn(offered, name)?.track;
}
