/** `/upload/…`: calls of an encoder that sends no more media. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { apiHandler, json } from '../runtime/middleware.ts';
import { fileName, openStream } from './upload-request.ts';

export const endStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const { value: stream } = await openStream(deps, event);
    return json(200, await requestEnd(deps, stream, 'call'));
  });

/** Encoders delete what left their sliding playlist; the media is kept for viewers who rewind. */
export const pushDeleteHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    await openStream(deps, event);
    fileName(event);
    return { statusCode: 204 };
  });
