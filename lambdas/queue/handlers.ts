/** Handlers of the queues: each message is parsed and handed to one step. */

import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { failJob } from '../../lib/pipeline/jobs/outcome.ts';
import {
  delayedMessage,
  publishRequest,
  scalingRequest,
  transcodeJob,
} from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import { scaleWorkers } from '../../lib/pipeline/upkeep/scaling.ts';
import { queueHandler } from '../runtime/middleware.ts';
import type { Measure } from '../runtime/observability.ts';

/** Measures how long segments took from their upload until they stood in the playlists. */
export const publishHandler = (deps: Deps, measure?: Pick<Measure, 'milliseconds'>) =>
  queueHandler(publishRequest, async (request) => {
    for (const { uploadedAtMs, listedAtMs } of await publishStream(deps, request)) {
      measure?.milliseconds('PublishDelay', listedAtMs - uploadedAtMs);
    }
  });

export const delayedHandler = (deps: Deps) =>
  queueHandler(delayedMessage, (event) => onDelayedMessage(deps, event));

/** Jobs that no worker could do: their segments become gaps. */
export const jobsDeadHandler = (deps: Deps) =>
  queueHandler(transcodeJob, (job) => failJob(deps, job, 'every attempt to transcode it failed'));

export const scalingHandler = (
  deps: Deps,
  limits: ScalingLimits,
  measure?: Pick<Measure, 'count'>,
) =>
  queueHandler(scalingRequest, async (request) => {
    const report = await scaleWorkers(deps, limits, request);
    if (!report) return;
    measure?.count('WorkersDesired', report.desired);
    measure?.count('WorkersRunning', report.running);
    measure?.count('JobsWaiting', report.backlog);
  });
