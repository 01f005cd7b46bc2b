/** The handler of each queue and of each queue of dead letters: what a process serves that has them all. */

import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type { DeadLetterName, HandledQueue } from '../../lib/ports/queues.ts';
import type { queueHandler } from '../runtime/middleware.ts';
import { delayedDeadHandler, delayedHandler } from './delayed.ts';
import { jobsDeadHandler } from './jobs.ts';
import { publishDeadHandler, publishHandler } from './publish.ts';
import { scalingHandler } from './scaling.ts';
import { uploadCompletedDeadHandler, uploadCompletedHandler } from './upload-completed.ts';

export type QueueHandler = ReturnType<typeof queueHandler>;

export const queueHandlers = (
  deps: Deps,
  limits: ScalingLimits,
): Readonly<Record<HandledQueue, QueueHandler>> => ({
  publish: publishHandler(deps),
  delayed: delayedHandler(deps),
  uploadCompleted: uploadCompletedHandler(deps),
  scaling: scalingHandler(deps, limits),
});

export const deadLetterHandlers = (deps: Deps): Readonly<Record<DeadLetterName, QueueHandler>> => ({
  jobs: jobsDeadHandler(deps),
  publish: publishDeadHandler(deps),
  delayed: delayedDeadHandler(deps),
  uploadCompleted: uploadCompletedDeadHandler(deps),
});
