/** What travels on the queues. Parsed where it is received. */

import { z } from 'zod';
import type { Ports } from './ports.ts';

const stream = { videoId: z.string(), uid: z.string() };
const place = { run: z.int(), number: z.int() };

export const transcodeJob = z.object({ ...stream, ...place });
export type TranscodeJob = z.infer<typeof transcodeJob>;

/** Look what can be published; `settled` names a segment whose outcome is new. */
export const publishRequest = z.object({ ...stream, settled: z.object(place).exactOptional() });
export type PublishRequest = z.infer<typeof publishRequest>;

/** `publish`: a grace has ended. `watch`: the regular look at an open stream. */
export const timerEvent = z.object({ type: z.enum(['publish', 'watch']), ...stream });
export type TimerEvent = z.infer<typeof timerEvent>;

/** The store holds an object that came by a grant. */
export const objectStored = z.object({ key: z.string() });
export type ObjectStored = z.infer<typeof objectStored>;

/** Look how many workers there should be. */
export const lookRequest = z.object({ hasNewJob: z.boolean().exactOptional() });
export type LookRequest = z.infer<typeof lookRequest>;

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

export const setTimer = ({ queues }: Queues, event: TimerEvent, delayMs: number): Promise<void> =>
  queues.timers.send([
    {
      body: JSON.stringify(event),
      delayMs: Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(delayMs))),
    },
  ]);

export const sendLook = ({ queues }: Queues, request: LookRequest, delayMs = 0): Promise<void> =>
  queues.looks.send([{ body: JSON.stringify(request), delayMs }]);
