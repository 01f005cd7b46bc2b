/** Messages between the steps, parsed where they are received: a process that only sends needs no zod. */

import * as z from 'zod/mini';

const stream = { videoId: z.string(), uid: z.string() };

/**
 * Publish what is ready; `completed` names a segment whose outcome is new (with `track`: of a language that
 * is uploaded on its own), `markers` those that changed, `captions` the sets of cues that changed;
 * `removals`: retention has planned, cancelled or completed some.
 */
export const publishRequest = z.object({
  ...stream,
  completed: z.exactOptional(
    z.object({ run: z.int(), number: z.int(), track: z.exactOptional(z.string()) }),
  ),
  markers: z.exactOptional(z.array(z.string())),
  captions: z.exactOptional(z.array(z.object({ track: z.string(), set: z.string() }))),
  removals: z.exactOptional(z.boolean()),
});
export type PublishRequest = z.infer<typeof publishRequest>;

/** `publish`: a grace period has ended. `housekeeping`: the regular check of an open stream. */
const streamCheck = z.object({ type: z.enum(['publish', 'housekeeping']), ...stream });
export type StreamCheck = z.infer<typeof streamCheck>;

/** The regular check of all streams, open or not; `after`: of those whose ids come after it. */
const retentionCheck = z.object({
  type: z.literal('retention'),
  after: z.exactOptional(z.string()),
});
export type RetentionCheck = z.infer<typeof retentionCheck>;

export const delayedMessage = z.union([streamCheck, retentionCheck]);
export type DelayedMessage = z.infer<typeof delayedMessage>;

/** Compare the number of workers with the work that waits; `hasNewJob`: one was queued just now. */
export const scalingRequest = z.object({ hasNewJob: z.exactOptional(z.boolean()) });
export type ScalingRequest = z.infer<typeof scalingRequest>;
