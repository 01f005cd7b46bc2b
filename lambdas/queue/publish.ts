/** Handlers of the publish queue. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { sendPublish } from '../../lib/pipeline/messages.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { queueHandler } from '../runtime/middleware.ts';
import type { Measure } from '../runtime/observability.ts';

/** Measures how long segments took from their upload until the playlists listed them. */
export const publishHandler = (deps: Deps, measure?: Pick<Measure, 'milliseconds'>) =>
  queueHandler(publishRequest, async (request) => {
    for (const { uploadedAtMs, listedAtMs } of await publishStream(deps, request)) {
      measure?.milliseconds('PublishDelay', listedAtMs - uploadedAtMs);
    }
  });

/** Sends the request again: publishing fails only while something else does. */
export const publishDeadHandler = (deps: Deps) =>
  queueHandler(publishRequest, (request) => sendPublish(deps, request));
