/**
 * How many workers there are, decided from time to time: whoever queues jobs calls for a look, and a
 * look calls for the next one until all is quiet. Nobody else starts workers or takes any away.
 */

import {
  planWorkers,
  SCALING_INTERVAL_MS,
  type ScalingLimits,
  type ScalingMemory,
} from '../../domain/scaling.ts';
import type { Deps } from '../deps.ts';
import type { ScalingRequest } from '../message-schemas.ts';
import { sendScalingRequest } from '../messages.ts';

type Looking = Pick<Deps, 'store' | 'queues' | 'clock'>;

/** What a look leaves for the next one, and for those who might call for it. */
type Kept = Readonly<{
  memory: ScalingMemory;
  /** For this time a look has been sent for. */
  nextEvaluationAtMs?: number;
}>;

const PLACE = { partition: 'fleet', sort: 'scaling' } as const;

/** Messages come a little early at times: by so much of the interval. */
const EARLY_SHARE = 0.1;

/** A look that is late by more will not come: the next job calls for another. */
const LATE_MS = SCALING_INTERVAL_MS;

/** Calls for a look at once, if no worker is wanted by now or no look is on its way. */
export async function requestScaling(deps: Looking): Promise<void> {
  const { store, clock } = deps;
  const item = await store.get(PLACE.partition, PLACE.sort);
  const kept = item?.value as Kept | undefined;
  const isExpected = (kept?.nextEvaluationAtMs ?? 0) > clock.now() - LATE_MS;
  if (isExpected && !isAtRest(kept)) return;
  await sendScalingRequest(deps, { hasNewJob: true });
}

/** For an engine whose workers died with it: what was known of them is of no use any more. */
export async function resumeScaling(deps: Looking): Promise<void> {
  await deps.store.write([{ type: 'delete', ...PLACE }]);
  await sendScalingRequest(deps, {});
}

const isAtRest = (kept: Kept | undefined): boolean => (kept?.memory.desired ?? 0) === 0;

export type FleetReport = Readonly<{ desired: number; running: number; backlog: number }>;

/**
 * Carries out one look. Any number of messages may call for it: who comes before it is due, or while
 * another one carries it out, leaves it at that. Answers with what was found, if there is work.
 */
export async function scaleWorkers(
  deps: Looking & Pick<Deps, 'fleet'>,
  limits: ScalingLimits,
  { hasNewJob = false }: ScalingRequest,
): Promise<FleetReport | undefined> {
  const { store, queues, fleet, clock } = deps;
  if (!fleet.scaleTo) return undefined;
  const item = await store.get(PLACE.partition, PLACE.sort);
  const kept = item?.value as Kept | undefined;
  const nowMs = clock.now();
  if (!isDue(kept, nowMs) && !(hasNewJob && isAtRest(kept))) return undefined;
  const [{ desired, running }, { ready, delayed, inFlight }] = await Promise.all([
    fleet.count(),
    queues.transcode.depth(),
  ]);
  const backlog = ready + delayed;
  const look = { nowMs, desired, running, backlog, inFlight, hasNewJob };
  const { memory, evaluateAgainInMs, ...plan } = planWorkers(look, limits, kept?.memory);
  const version = item?.version ?? 0;
  if (!(await store.write([{ type: 'put', ...PLACE, value: { memory }, expect: version }]))) {
    return undefined;
  }
  if (plan.desired !== desired) await fleet.scaleTo(plan.desired);
  if (evaluateAgainInMs === undefined) return undefined;
  await sendScalingRequest(deps, {}, evaluateAgainInMs);
  // Last of all: whatever fails before this, the message that brought us here comes again and is due.
  const value: Kept = { memory, nextEvaluationAtMs: nowMs + evaluateAgainInMs };
  await store.write([{ type: 'put', ...PLACE, value, expect: version + 1 }]);
  return { desired: plan.desired, running, backlog };
}

function isDue(kept: Kept | undefined, nowMs: number): boolean {
  if (kept?.nextEvaluationAtMs === undefined) return true;
  const intervalMs = kept.nextEvaluationAtMs - kept.memory.evaluatedAtMs;
  return nowMs >= kept.nextEvaluationAtMs - EARLY_SHARE * intervalMs;
}
