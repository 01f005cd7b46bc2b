/** `PUT /streams/{videoId}`: creates a stream, or changes its settings. */

import { streamSettingsSchema } from '../../lib/api/stream-settings.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { json, keyedHandler } from '../runtime/middleware.ts';
import { parseBody } from '../runtime/request-body.ts';
import { keyOf } from '../runtime/request-key.ts';

export const putStreamHandler = (deps: Deps) =>
  keyedHandler(
    async (event) => requireOwner(deps, keyOf(event)),
    async (event) => {
      const videoId = parseVideoId(event.pathParameters?.videoId);
      const { newUploadKey = false, ...change } = parseBody(streamSettingsSchema, event);
      const { isNew, ...stream } = await putStream(deps, videoId, change, newUploadKey);
      return json(isNew ? 201 : 200, stream);
    },
  );
