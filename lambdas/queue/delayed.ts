/** Handlers of the queue of delayed messages. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { delayedMessage } from '../../lib/pipeline/message-schemas.ts';
import { sendDelayed } from '../../lib/pipeline/messages.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import { checkRetention } from '../../lib/pipeline/upkeep/retention.ts';
import { queueHandler } from '../runtime/middleware.ts';

const PAUSE_MS = 60_000;

export const delayedHandler = (deps: Deps) =>
  queueHandler(delayedMessage, (message) =>
    message.type === 'retention' ? checkRetention(deps, message) : onDelayedMessage(deps, message),
  );

/** Sends the message again: without housekeeping a silent stream would never end, nor find its lost jobs. */
export const delayedDeadHandler = (deps: Deps) =>
  queueHandler(delayedMessage, (message) => sendDelayed(deps, message, PAUSE_MS));
