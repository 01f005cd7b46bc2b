/** Handler of the scaling queue. What fails too often is dropped: the next request repeats it. */

import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { scalingRequest } from '../../lib/pipeline/message-schemas.ts';
import { scaleWorkers } from '../../lib/pipeline/upkeep/scaling.ts';
import { queueHandler } from '../runtime/middleware.ts';
import type { Measure } from '../runtime/observability.ts';

export const scalingHandler = (
  deps: Deps,
  limits: ScalingLimits,
  measure?: Pick<Measure, 'count'>,
) =>
  queueHandler(scalingRequest, async (request) => {
    const report = await scaleWorkers(deps, JOBS, limits, request);
    if (!report) return;
    measure?.count('WorkersDesired', report.desired);
    measure?.count('WorkersRunning', report.running);
    measure?.count('JobsWaiting', report.backlog);
  });
