/**
 * The check of all streams for retention: queues the job of those of which something has expired. It comes
 * also while nobody touches them: from a schedule on AWS, from a timer on one machine.
 */

import { isRetentionDue } from '../../domain/retention/kept.ts';
import { RETENTION_INTERVAL_HOURS } from '../../domain/retention/retention.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { enqueueJobs } from '../jobs/enqueue.ts';
import { retention } from '../jobs/retention/retention.ts';
import type { RetentionCheck } from '../message-schemas.ts';
import { sendDelayed } from '../messages.ts';
import { claimRetention } from '../records/removal-records.ts';
import { requestScaling } from './scaling.ts';

/** Streams that one message covers; the next one goes on from there. */
const STREAMS = 100;

/** A job that was queued this long ago is done, or lost. */
const QUEUED_MS = RETENTION_INTERVAL_HOURS * 3_600_000;

type RetentionDeps = Pick<Deps, 'records' | 'store' | 'queues' | 'clock'>;

export async function checkRetention(
  deps: RetentionDeps,
  { after = '' }: RetentionCheck,
): Promise<void> {
  const { records } = deps;
  const ids = (await records.listVideoIds()).filter((id) => id > after);
  const due: Stream[] = [];
  for (const id of ids.slice(0, STREAMS)) {
    const stream = (await records.findStream(id))?.value;
    if (stream && (await isDue(deps, stream))) due.push(stream);
  }
  for (const { videoId, uid } of due) await enqueueJobs(deps, retention, [{ videoId, uid }]);
  if (due.length > 0) await requestScaling(deps);
  const last = ids[STREAMS - 1];
  if (ids.length > STREAMS && last !== undefined) {
    await sendDelayed(deps, { type: 'retention', after: last }, 0);
  }
}

/** Not of one whose job was queued a short time ago. */
async function isDue(deps: RetentionDeps, stream: Stream): Promise<boolean> {
  const { value: state } = await deps.records.timeline(stream);
  const nowMs = deps.clock.now();
  if (!isRetentionDue(stream.settings.retention, state, nowMs)) return false;
  return claimRetention(deps, stream, nowMs, QUEUED_MS);
}
