/** Sending what travels on the queues. */

import type {
  DelayedMessage,
  PublishRequest,
  ScalingRequest,
  TranscodeJob,
} from './message-schemas.ts';
import type { Ports } from './ports.ts';

type Queues = Pick<Ports, 'queues'>;

export const sendTranscode = (
  { queues }: Queues,
  jobs: readonly TranscodeJob[],
  delayMs = 0,
): Promise<void> =>
  queues.transcode.send(jobs.map((job) => ({ body: JSON.stringify(job), delayMs })));

export const sendPublish = ({ queues }: Queues, request: PublishRequest): Promise<void> =>
  queues.publish.send([{ body: JSON.stringify(request), group: request.uid }]);

/** Timers longer than the queue's limit come early; whoever gets one looks and sets the next. */
const MAX_DELAY_MS = 15 * 60 * 1000;

export const sendDelayed = (
  { queues }: Queues,
  event: DelayedMessage,
  delayMs: number,
): Promise<void> =>
  queues.timers.send([
    {
      body: JSON.stringify(event),
      delayMs: Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(delayMs))),
    },
  ]);

export const sendScalingRequest = (
  { queues }: Queues,
  request: ScalingRequest,
  delayMs = 0,
): Promise<void> => queues.looks.send([{ body: JSON.stringify(request), delayMs }]);
