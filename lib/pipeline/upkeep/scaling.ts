/**
 * The number of workers, evaluated from time to time: a step that queues jobs requests an evaluation,
 * and each evaluation requests the next one until all is quiet. Nothing else starts or stops workers.
 */

import {
  planWorkers,
  SCALING_INTERVAL_MS,
  type ScalingLimits,
  type ScalingMemory,
} from '../../domain/scaling.ts';
import type { QueueDepth } from '../../ports/ports.ts';
import type { Deps } from '../deps.ts';
import { JOB_QUEUES } from '../jobs/job-kind.ts';
import type { JobRegistry } from '../jobs/registry.ts';
import type { ScalingRequest } from '../message-schemas.ts';
import { sendScalingRequest } from '../messages.ts';

type ScalingDeps = Pick<Deps, 'store' | 'queues' | 'clock'>;

/** What one evaluation leaves for the next, and for steps that might request it. */
type Kept = Readonly<{
  memory: ScalingMemory;
  /** An evaluation has been requested for this time. */
  nextEvaluationAtMs?: number;
}>;

const RECORD = { partition: 'fleet', sort: 'scaling' } as const;

/** Messages come a little early at times: by so much of the interval. */
const EARLY_SHARE = 0.1;

/** An evaluation that is late by more will not come: the next job requests another. */
const LATE_MS = SCALING_INTERVAL_MS;

/** Requests an evaluation at once, if no worker is wanted by now or no evaluation is due. */
export async function requestScaling(deps: ScalingDeps): Promise<void> {
  const { store, clock } = deps;
  const item = await store.get(RECORD.partition, RECORD.sort);
  const kept = item?.value as Kept | undefined;
  if (isExpected(kept, clock.now()) && !isAtRest(kept)) return;
  await sendScalingRequest(deps, { hasNewJob: true });
}

/** For an engine whose workers died with it: what was known of them is of no use any more. */
export async function resumeScaling(deps: ScalingDeps): Promise<void> {
  await deps.store.write([{ type: 'delete', ...RECORD }]);
  await sendScalingRequest(deps, {});
}

const isAtRest = (kept: Kept | undefined): boolean => (kept?.memory.desired ?? 0) === 0;

/** A time further ahead than any interval is from before the clock was set back, and does not count. */
function isExpected(kept: Kept | undefined, nowMs: number): boolean {
  const dueMs = kept?.nextEvaluationAtMs ?? 0;
  return dueMs > nowMs - LATE_MS && dueMs <= nowMs + SCALING_INTERVAL_MS;
}

export type FleetReport = Readonly<{ desired: number; running: number; backlog: number }>;

/**
 * Carries out one evaluation. Any number of messages may request it: one that comes before it is due,
 * or while another one carries it out, changes nothing. Answers with what was found, if there is work.
 */
export async function scaleWorkers(
  deps: ScalingDeps & Pick<Deps, 'fleet'>,
  jobs: JobRegistry,
  limits: ScalingLimits,
  { hasNewJob = false }: ScalingRequest,
): Promise<FleetReport | undefined> {
  const { store, queues, fleet, clock } = deps;
  if (fleet.type === 'static') return undefined;
  const item = await store.get(RECORD.partition, RECORD.sort);
  const kept = item?.value as Kept | undefined;
  const nowMs = clock.now();
  if (!isDue(kept, nowMs) && !(hasNewJob && isAtRest(kept))) return undefined;
  const [{ desired, running }, { backlog, inFlight }] = await Promise.all([
    fleet.count(),
    workload(queues, jobs),
  ]);
  const snapshot = { nowMs, desired, running, backlog, inFlight, hasNewJob };
  const { memory, evaluateAgainInMs, ...plan } = planWorkers(snapshot, limits, kept?.memory);
  const version = item?.version ?? 0;
  if (!(await store.write([{ type: 'put', ...RECORD, value: { memory }, expect: version }]))) {
    return undefined;
  }
  if (plan.desired !== desired) await fleet.scaleTo(plan.desired);
  if (evaluateAgainInMs === undefined) return undefined;
  await sendScalingRequest(deps, {}, evaluateAgainInMs);
  // Last of all: whatever fails before this, the message that brought us here comes again and is due.
  const value: Kept = { memory, nextEvaluationAtMs: nowMs + evaluateAgainInMs };
  await store.write([{ type: 'put', ...RECORD, value, expect: version + 1 }]);
  return { desired: plan.desired, running, backlog };
}

/** Jobs that wait, by their weight, and jobs that workers have: of all classes together. */
async function workload(
  queues: Deps['queues'],
  jobs: JobRegistry,
): Promise<Readonly<{ backlog: number; inFlight: number }>> {
  const depths = await Promise.all(
    jobs.classes.map(async (one): Promise<QueueDepth> => {
      const { ready, delayed, inFlight } = await queues[JOB_QUEUES[one]].depth();
      const weight = jobs.weightOf(one);
      return { ready: ready * weight, delayed: delayed * weight, inFlight };
    }),
  );
  const total = (of: (depth: QueueDepth) => number): number =>
    depths.reduce((sum, depth) => sum + of(depth), 0);
  return {
    backlog: Math.ceil(total(({ ready, delayed }) => ready + delayed)),
    inFlight: total(({ inFlight }) => inFlight),
  };
}

function isDue(kept: Kept | undefined, nowMs: number): boolean {
  if (!kept || !isExpected(kept, nowMs)) return true;
  const { nextEvaluationAtMs: dueMs = 0, memory } = kept;
  return nowMs >= dueMs - EARLY_SHARE * (dueMs - memory.evaluatedAtMs);
}
