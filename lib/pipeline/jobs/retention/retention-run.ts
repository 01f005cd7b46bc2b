/**
 * Carries out the retention of a stream: cancels removals that do not stand any more, removes the objects of
 * those whose grace is over, and plans the next ones. Each part is done in pages, so the job may be killed
 * anywhere and run again.
 */

import { isPurgeDue, type PendingRemoval, type Removal } from '../../../domain/retention/kept.ts';
import { isInRanges, type KeepRules, keepRules } from '../../../domain/retention/retention.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import { sendPublish } from '../../messages.ts';
import { savedClips } from '../../records/clip-records.ts';
import { findRemoval, writeRemoval } from '../../records/removal-records.ts';
import { MarkerLogs } from '../../view/marker-logs.ts';
import { enqueueJobs } from '../enqueue.ts';
import type { JobContext, JobResult } from '../job-kind.ts';
import { type RetentionJob, retention } from './retention.ts';
import { planRemovals } from './retention-plan.ts';
import { purgeRemoval } from './retention-purge.ts';

/** Throws what `signal` was aborted with. */
export async function runRetention(
  deps: WorkerDeps,
  job: RetentionJob,
  { signal }: JobContext,
): Promise<JobResult> {
  const { videoId, uid } = job;
  const stream = (await deps.records.findStream(videoId))?.value;
  if (stream?.uid !== uid) return 'obsolete';
  const { value: state } = await deps.records.timeline(stream);
  const rules = await rulesOf(deps, stream, state);
  let isComplete = true;
  for (const pending of state.kept?.removals ?? []) {
    isComplete &&= await settle(deps, stream, state, rules, pending, signal);
  }
  const next = await planRemovals(deps, stream, state, rules, job, signal);
  // Also for what an earlier attempt has recorded before it was killed.
  await sendPublish(deps, { videoId, uid, removals: true });
  if (next) await enqueueJobs(deps, retention, [{ videoId, uid, ...next }]);
  else if (!isComplete) await enqueueJobs(deps, retention, [{ videoId, uid }]);
  return 'done';
}

async function rulesOf(deps: WorkerDeps, stream: Stream, state: TimelineState): Promise<KeepRules> {
  const settings = stream.settings.retention;
  const markers = settings?.marked ? (await new MarkerLogs(deps).of(stream, state)).markers() : [];
  const clips = settings?.clipped === undefined ? [] : await savedClips(deps, stream);
  return keepRules(settings, markers, deps.clock.now(), clips);
}

/** false if there is more to do. */
async function settle(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  rules: KeepRules,
  { id, atMs }: PendingRemoval,
  signal: AbortSignal,
): Promise<boolean> {
  const removal = await findRemoval(deps, stream, id);
  if (removal?.value.status !== 'planned') return true;
  if (!removal.value.purging && !stands(removal.value, rules)) {
    const cancelled: Removal = { ...removal.value, status: 'cancelled' };
    await writeRemoval(deps, stream, cancelled, removal.version);
    // What of it has expired all the same is planned when the publisher has taken it back.
    return false;
  }
  if (!isPurgeDue({ atMs }, deps.clock.now())) return true;
  return purgeRemoval(deps, stream, { state, rules, removal, signal });
}

/** Whether all of it has expired by the settings, the markers and the clock as they are now. */
const stands = ({ ranges }: Removal, rules: KeepRules): boolean =>
  ranges.every((range) => range.toMs <= rules.expiredMs && !isInRanges(rules.ranges, range));
