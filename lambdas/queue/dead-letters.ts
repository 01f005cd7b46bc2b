/**
 * Handlers of the dead letters. A segment that no worker could do becomes a gap (`queues.ts`); the
 * other messages are for steps that fail only while something else does, so they are sent again.
 */

import { storedKeys } from '../../lib/aws/upload-completed-queue.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { delayedMessage, publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { sendDelayed, sendPublish } from '../../lib/pipeline/messages.ts';
import { queueHandler } from '../runtime/middleware.ts';

/** Its queue tries it for minutes before it comes here again. */
export const publishDeadHandler = (deps: Deps) =>
  queueHandler(publishRequest, (request) => sendPublish(deps, request));

const TIMER_PAUSE_MS = 60_000;

/** Without its timer a stream would never end by silence, nor find its lost jobs. */
export const delayedDeadHandler = (deps: Deps) =>
  queueHandler(delayedMessage, (event) => sendDelayed(deps, event, TIMER_PAUSE_MS));

const INGEST_PAUSE_MS = 15 * 60_000;

/** Goes on until the grant's record expires, after a day: the step then drops it. */
export const uploadCompletedDeadHandler = (deps: Deps) =>
  queueHandler({ parse: storedKeys }, (keys) =>
    deps.queues.ingest.send(
      keys.map((key) => ({ body: JSON.stringify({ key }), delayMs: INGEST_PAUSE_MS })),
    ),
  );
