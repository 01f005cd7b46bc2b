/**
 * Queues the jobs of segments again that were acknowledged and whose message was lost: the process
 * that sent it died, or the queue refused it. A job that waits is not lost, however long it waits; a
 * segment without an outcome has two messages at most.
 */

import { withTrack } from '../../domain/languages/language-track.ts';
import type { SourceSegment } from '../../domain/segment.ts';
import type { Stream } from '../../domain/stream.ts';
import type { WorkerDeps } from '../deps.ts';
import { requestScaling } from '../upkeep/scaling.ts';
import { enqueueJobs } from './enqueue.ts';
import { JOB_QUEUES, type JobKind, type SegmentJob } from './job-kind.ts';
import { languageAudio } from './language-audio.ts';
import { transcode, transcodeFile } from './transcode.ts';

/** After it a second message counts as lost, too, if the queue is empty. */
const REQUEUED_LOST_MS = 15 * 60_000;

/** The time of a message that was never sent. */
const NEVER = 0;

const kindOf = (
  { track }: Pick<Stream, 'track'>,
  { ofFile }: Pick<SourceSegment, 'ofFile'>,
): JobKind<SegmentJob> =>
  track !== undefined ? languageAudio : ofFile ? transcodeFile : transcode;

/** Queues the jobs of these segments, and has the number of workers checked. */
export async function enqueueSegments(
  deps: WorkerDeps,
  stream: Stream,
  segments: readonly SourceSegment[],
): Promise<void> {
  const { videoId, uid, track } = stream;
  const byKind = Map.groupBy(segments, (segment) => kindOf(stream, segment));
  try {
    for (const [kind, own] of byKind) {
      const jobs = own.map(({ run, number }) => withTrack({ videoId, uid, run, number }, track));
      await enqueueJobs(deps, kind, jobs);
    }
  } catch (error) {
    await Promise.all(segments.map((one) => deps.records.markQueued(stream, one, NEVER)));
    throw error;
  }
  await requestScaling(deps);
}

/**
 * Queues the jobs again that were lost, of segments without an outcome: all of them if the queue holds
 * fewer messages than there are such segments, those that a segment uploaded later has overtaken, and
 * those whose message could not be sent. Only the last reason counts for segments younger than `minAgeMs`.
 * Returns how many were queued.
 */
export async function requeueLost(
  deps: WorkerDeps,
  stream: Stream,
  unfinished: readonly SourceSegment[],
  { minAgeMs, newestDoneMs = 0 }: Readonly<{ minAgeMs: number; newestDoneMs?: number }>,
): Promise<number> {
  const [first] = unfinished;
  if (!first) return 0;
  const { records, queues, clock } = deps;
  const nowMs = clock.now();
  const marks = await Promise.all(
    unfinished.map((segment) => records.queuedMark(stream, segment.run, segment.number)),
  );
  const { ready, inFlight, delayed } =
    await queues[JOB_QUEUES[kindOf(stream, first).class]].depth();
  const queued = ready + inFlight + delayed;
  const lost = unfinished.flatMap((segment, index) => {
    const mark = marks[index];
    // One from the future is from before the clock was set back.
    const ageMs = nowMs - segment.uploadedAtMs;
    const isOld = ageMs >= minAgeMs || ageMs < 0;
    const isMissing = queued < unfinished.length || segment.uploadedAtMs + minAgeMs <= newestDoneMs;
    const isLost = mark
      ? mark.value === NEVER || (queued === 0 && nowMs - mark.value >= REQUEUED_LOST_MS)
      : isOld && isMissing;
    return isLost ? [{ segment, version: mark?.version ?? 0 }] : [];
  });
  const won = await Promise.all(
    lost.map(({ segment, version }) => records.markQueued(stream, segment, nowMs, version)),
  );
  const segments = lost.filter((_, index) => won[index]).map(({ segment }) => segment);
  if (segments.length > 0) await enqueueSegments(deps, stream, segments);
  return segments.length;
}
