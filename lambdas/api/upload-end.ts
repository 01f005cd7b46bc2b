/** `/upload/…`: calls of an encoder that sends no more media. */

import { getStream } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { endByCall } from '../../lib/pipeline/ingest/end.ts';
import { json, keyedHandler } from '../runtime/middleware.ts';
import { fileName, openStream } from './upload-request.ts';

export const endStreamHandler = (deps: Deps) =>
  keyedHandler(
    (event) => openStream(deps, event),
    async (_event, { value, version }) => {
      const stream = version > 0 ? value : (await getStream(deps, value.videoId)).value;
      return json(200, await endByCall(deps, stream));
    },
  );

/** Encoders delete what left their sliding playlist; the media is kept for viewers who rewind. */
export const pushDeleteHandler = (deps: Deps) =>
  keyedHandler(
    (event) => openStream(deps, event),
    async (event) => {
      fileName(event);
      return { statusCode: 204 };
    },
  );
