/** Sends the messages between the steps. Jobs of workers are sent by `jobs/enqueue.ts`. */

import type { Ports } from '../ports/ports.ts';
import { MAX_DELAY_MS } from '../ports/queues.ts';
import type { DelayedMessage, PublishRequest, ScalingRequest } from './message-schemas.ts';

type Queues = Pick<Ports, 'queues'>;

export const sendPublish = ({ queues }: Queues, request: PublishRequest): Promise<void> =>
  queues.publish.send([{ body: JSON.stringify(request), group: request.uid }]);

/** Delays longer than a queue's limit end early; the receiver checks the time and sends the next. */
export const sendDelayed = (
  { queues }: Queues,
  message: DelayedMessage,
  delayMs: number,
): Promise<void> =>
  queues.delayed.send([
    {
      body: JSON.stringify(message),
      delayMs: Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(delayMs))),
    },
  ]);

export const sendScalingRequest = (
  { queues }: Queues,
  request: ScalingRequest,
  delayMs = 0,
): Promise<void> => queues.scaling.send([{ body: JSON.stringify(request), delayMs }]);
