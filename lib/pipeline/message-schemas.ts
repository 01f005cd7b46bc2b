/** What travels on the queues, parsed where it is received: who only sends needs no zod. */

import * as z from 'zod/mini';

const stream = { videoId: z.string(), uid: z.string() };
const place = { run: z.int(), number: z.int() };

export const transcodeJob = z.object({ ...stream, ...place });
export type TranscodeJob = z.infer<typeof transcodeJob>;

/** Look what can be published; `settled` names a segment whose outcome is new. */
export const publishRequest = z.object({ ...stream, settled: z.exactOptional(z.object(place)) });
export type PublishRequest = z.infer<typeof publishRequest>;

/** `publish`: a grace has ended. `watch`: the regular look at an open stream. */
export const delayedMessage = z.object({ type: z.enum(['publish', 'watch']), ...stream });
export type DelayedMessage = z.infer<typeof delayedMessage>;

/** Look how many workers there should be. */
export const scalingRequest = z.object({ hasNewJob: z.exactOptional(z.boolean()) });
export type ScalingRequest = z.infer<typeof scalingRequest>;
