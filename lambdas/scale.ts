/** One look at the queue and the fleet, and what follows from it. Carried out about every ten seconds. */

import { z } from 'zod';
import {
  LOOK_INTERVAL_MS,
  planWorkers,
  type ScalingLimits,
  type ScalingMemory,
} from '../lib/domain/scaling.ts';
import type { Clock, StreamIndex, WorkQueue } from '../lib/pipeline/ports.ts';
import { queueHandler } from './middleware.ts';
import type { Measure } from './observability.ts';

export type ScaledService = Readonly<{
  count(): Promise<Readonly<{ desired: number; running: number }>>;
  setDesired(count: number): Promise<void>;
}>;

export type ScaleDeps = Readonly<{
  index: StreamIndex;
  transcode: WorkQueue;
  looks: WorkQueue;
  service: ScaledService;
  limits: ScalingLimits;
  clock: Clock;
  measure: Measure;
}>;

type Kept = Readonly<{ memory: ScalingMemory; nextLookAtMs?: number }>;

const PLACE = { partition: 'fleet', sort: 'scaling' } as const;

/** Messages come a little early at times; nothing is lost by that. */
const EARLY_MS = 1000;

/**
 * Any number of messages may call for a look: uploads that start a run, the schedule, the look
 * before. Whoever writes what it has seen carries it out and calls for the next; the others leave.
 */
export async function scaleWorkers(deps: ScaleDeps): Promise<void> {
  const { index, transcode, looks, service, limits, clock, measure } = deps;
  const item = await index.get(PLACE.partition, PLACE.sort);
  const kept = item?.value as Kept | undefined;
  const nowMs = clock.now();
  if (kept?.nextLookAtMs !== undefined && nowMs < kept.nextLookAtMs - EARLY_MS) return;
  const [{ desired, running }, { ready, delayed, inFlight }] = await Promise.all([
    service.count(),
    transcode.depth(),
  ]);
  const starting = Math.max(0, desired - running);
  const backlog = ready + delayed;
  const plan = planWorkers({ nowMs, running, starting, backlog, inFlight }, limits, kept?.memory);
  const value: Kept = {
    memory: plan.memory,
    ...(plan.lookAgain ? { nextLookAtMs: nowMs + LOOK_INTERVAL_MS } : {}),
  };
  const expect = item?.version ?? 0;
  if (!(await index.write([{ type: 'put', ...PLACE, value, expect }]))) return;
  if (plan.desired !== desired) await service.setDesired(plan.desired);
  if (plan.lookAgain) {
    measure.count('WorkersDesired', plan.desired);
    measure.count('WorkersRunning', running);
    measure.count('JobsWaiting', backlog);
    await looks.send([{ body: '{}', delayMs: LOOK_INTERVAL_MS }]);
  }
}

export const scaleHandler = (deps: ScaleDeps) =>
  queueHandler(z.object({}), () => scaleWorkers(deps));
