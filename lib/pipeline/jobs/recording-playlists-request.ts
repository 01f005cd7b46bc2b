/**
 * Queues the job that makes the playlists of a long recording, and says whether it has made them.
 *
 * The job's end says so in a record of its own: the timeline's state is the publisher's alone to write,
 * and who asks for the objects needs the media store, which the multivariant playlist can do without.
 */

import { recordingVersion } from '../../domain/object-keys.ts';
import { isLongRecording } from '../../domain/recording.ts';
import { isPresented, keptAt } from '../../domain/retention/kept.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import type { StoredRecording } from '../records/record-types.ts';
import { requestScaling } from '../upkeep/scaling.ts';
import { enqueueJobs } from './enqueue.ts';
import { isOnItsWay } from './lost-job.ts';
import { recordingPlaylists } from './recording-playlists.ts';

export type RequestDeps = Pick<Deps, 'records' | 'store' | 'queues' | 'clock' | 'longEntries'>;

/**
 * What is stored of a long recording, perhaps without what came late since; undefined until its job is
 * done for the first time after the stream's end.
 */
export async function storedRecording(
  { records, clock }: Pick<Deps, 'records' | 'clock'>,
  stream: Stream,
  { nextSequence, kept }: TimelineState,
): Promise<StoredRecording | undefined> {
  const { stored } = (await records.recordingPlaylists(stream)).value;
  if (!stored) return undefined;
  const { version, lateArrivals, captionVersion, keptVersion = 0 } = stored;
  if (!isPresented(kept, keptVersion, clock.now())) return undefined;
  const captions = captionVersion === undefined ? undefined : { version: captionVersion };
  const known = { nextSequence, lateArrivals, captions, kept: keptAt(kept, keptVersion) };
  return version === recordingVersion(known) ? stored : undefined;
}

/** Whether it has all that came late, the newest captions, and nothing that retention has removed. */
export const isUpToDate = (stored: StoredRecording | undefined, state: TimelineState): boolean =>
  stored?.lateArrivals === state.lateArrivals &&
  stored.captionVersion === state.captions?.version &&
  (stored.keptVersion ?? 0) === (state.kept?.version ?? 0);

/** Requests them if the stream has ended with a long recording, and what is stored lacks some of it. */
export async function ensureRecordingPlaylists(
  deps: RequestDeps,
  stream: Stream,
  state: TimelineState,
): Promise<void> {
  if (state.endedAtMs === undefined || !isLongRecording(state, deps.longEntries)) return;
  const stored = await storedRecording(deps, stream, state);
  if (!isUpToDate(stored, state)) await requestRecordingPlaylists(deps, stream);
}

/** Queues the job, and has the number of workers checked. However often it is called, one message waits. */
export async function requestRecordingPlaylists(deps: RequestDeps, stream: Stream): Promise<void> {
  const { records, clock } = deps;
  const { value, version } = await records.recordingPlaylists(stream);
  const { queuedAtMs } = value;
  const isQueued =
    queuedAtMs !== undefined && (await isOnItsWay(deps, recordingPlaylists, queuedAtMs));
  if (isQueued) return;
  const mark = { ...value, queuedAtMs: clock.now() };
  // Who was faster has queued it. Or it has ended just now, and then looks whether the recording has changed.
  if (!(await records.putRecordingPlaylists(stream, mark, version))) return;
  const { videoId, uid } = stream;
  try {
    await enqueueJobs(deps, recordingPlaylists, [{ videoId, uid }]);
  } catch (error) {
    await records.putRecordingPlaylists(stream, value, version + 1);
    throw error;
  }
  await requestScaling(deps);
}
