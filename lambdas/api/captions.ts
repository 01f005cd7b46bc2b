/** `DELETE /captions/{videoId}/{track}`. */

import { parseVideoId } from '../../lib/domain/ids.ts';
import { getStream, openForUpload, requireKey } from '../../lib/pipeline/auth.ts';
import { removeTrack } from '../../lib/pipeline/captions/remove-track.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { keyedHandler } from '../runtime/middleware.ts';
import { keyOf } from '../runtime/request-key.ts';

export const removeCaptionsHandler = (deps: Deps) =>
  keyedHandler(
    async (event) => {
      const videoId = parseVideoId(event.pathParameters?.videoId);
      const { value, version } = await openForUpload(deps, videoId, requireKey(keyOf(event)));
      return version > 0 ? value : (await getStream(deps, videoId)).value;
    },
    async (event, stream) => {
      await removeTrack(deps, stream, event.pathParameters?.track ?? '');
      return { statusCode: 204 };
    },
  );
