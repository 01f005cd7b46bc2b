/** Handlers of the queue on which the store reports presigned uploads. */

import { storedKeys } from '../../lib/aws/upload-completed-queue.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { commitPresigned } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { queueHandler } from '../runtime/middleware.ts';

const PAUSE_MS = 15 * 60_000;

/** S3 may report several objects in one message; a commit done twice changes nothing. */
export const uploadCompletedHandler = (deps: Deps) =>
  queueHandler({ parse: storedKeys }, async (keys) => {
    for (const key of keys) await commitPresigned(deps, key);
  });

/** Sends the keys again until the record of the upload expires, after a day: the step then drops them. */
export const uploadCompletedDeadHandler = (deps: Deps) =>
  queueHandler({ parse: storedKeys }, (keys) =>
    deps.queues.uploadCompleted.send(
      keys.map((key) => ({ body: JSON.stringify({ key }), delayMs: PAUSE_MS })),
    ),
  );
