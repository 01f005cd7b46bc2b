/** Queues the jobs that make WebM of what is published, for streams that have it always. */

import { presentationOf } from '../../domain/presentation.ts';
import type { Stream } from '../../domain/stream.ts';
import { isGap, type TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { enqueueJobs } from '../jobs/enqueue.ts';
import { webm } from '../jobs/webm.ts';
import { requestScaling } from '../upkeep/scaling.ts';
import { withNeighbours } from '../view/segment-files/segment-moment.ts';
import { segmentTracks, webmJobOf } from '../view/segment-files/segment-tracks.ts';

/**
 * Of each rung with the default language, for the entries between two states: but for the newest of a
 * stream that goes on, whose sound ends in the next. What is lost here is made when it is asked for.
 */
export async function queueWebmAhead(
  deps: Deps,
  stream: Stream,
  before: TimelineState,
  state: TimelineState,
): Promise<void> {
  if (stream.settings.webm !== 'always') return;
  const first = Math.max(0, before.nextSequence - 1);
  const end = state.nextSequence - (state.endedAtMs === undefined ? 1 : 0);
  if (end <= first) return;
  const entries = await deps.records.entries(
    stream,
    Math.max(0, first - 1),
    state.nextSequence - 1,
  );
  const { video, audio } = presentationOf(state);
  const jobs = entries.flatMap((entry, index) => {
    if (isGap(entry) || entry.sequence < first || entry.sequence >= end) return [];
    const beside = withNeighbours(entry, entries[index - 1], entries[index + 1]);
    const moment = { stream, state, entry, ...beside };
    const rungs = video.length > 0 ? video.map(({ name }) => name) : [undefined];
    return rungs.map((rung) => webmJobOf(moment, segmentTracks(moment, rung, audio[0])));
  });
  // A run with a small picture has one piece for several rungs.
  const once = [...new Map(jobs.map((job) => [job.key, job])).values()];
  if (once.length === 0) return;
  await enqueueJobs(deps, webm, once);
  await requestScaling(deps);
}
