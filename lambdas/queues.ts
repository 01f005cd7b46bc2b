/** Handlers of the queues: each message is parsed and handed to one step. */

import type { ScalingLimits } from '../lib/domain/scaling.ts';
import type { Deps } from '../lib/pipeline/deps.ts';
import { commitGranted } from '../lib/pipeline/grant.ts';
import {
  lookRequest,
  objectStored,
  publishRequest,
  timerEvent,
  transcodeJob,
} from '../lib/pipeline/messages.ts';
import { publishStream } from '../lib/pipeline/publish.ts';
import { scaleWorkers } from '../lib/pipeline/scale.ts';
import { failJob } from '../lib/pipeline/transcode.ts';
import { onTimer } from '../lib/pipeline/watch.ts';
import { queueHandler } from './middleware.ts';
import type { Measure } from './observability.ts';

export const publishHandler = (deps: Deps) =>
  queueHandler(publishRequest, (request) => publishStream(deps, request));

export const timersHandler = (deps: Deps) =>
  queueHandler(timerEvent, (event) => onTimer(deps, event));

export const ingestHandler = (deps: Deps) =>
  queueHandler(objectStored, (stored) => commitGranted(deps, stored));

/** Jobs that no worker could do: their segments become gaps. */
export const transcodeDeadHandler = (deps: Deps) =>
  queueHandler(transcodeJob, (job) => failJob(deps, job, 'every attempt to transcode it failed'));

export const looksHandler = (deps: Deps, limits: ScalingLimits, measure?: Pick<Measure, 'count'>) =>
  queueHandler(lookRequest, async (request) => {
    const report = await scaleWorkers(deps, limits, request);
    if (!report) return;
    measure?.count('WorkersDesired', report.desired);
    measure?.count('WorkersRunning', report.running);
    measure?.count('JobsWaiting', report.backlog);
  });
