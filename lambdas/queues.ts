/** Handlers of the queues: each message is parsed and handed to one step. */

import type { Deps } from '../lib/pipeline/deps.ts';
import { commitGranted } from '../lib/pipeline/grant.ts';
import {
  objectStored,
  publishRequest,
  timerEvent,
  transcodeJob,
} from '../lib/pipeline/messages.ts';
import { publishStream } from '../lib/pipeline/publish.ts';
import { failJob } from '../lib/pipeline/transcode.ts';
import { onTimer } from '../lib/pipeline/watch.ts';
import { queueHandler } from './middleware.ts';

export const publishHandler = (deps: Deps) =>
  queueHandler(publishRequest, (request) => publishStream(deps, request));

export const timersHandler = (deps: Deps) =>
  queueHandler(timerEvent, (event) => onTimer(deps, event));

export const ingestHandler = (deps: Deps) =>
  queueHandler(objectStored, (stored) => commitGranted(deps, stored));

/** Jobs that no worker could do: their segments become gaps. */
export const transcodeDeadHandler = (deps: Deps) =>
  queueHandler(transcodeJob, (job) => failJob(deps, job, 'every attempt to transcode it failed'));
