/** `/upload/…`: what an encoder says when it has no more media to send. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { apiHandler, json } from '../runtime/middleware.ts';
import { fileName, openStream } from './upload-request.ts';

export const endStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const { value: stream } = await openStream(deps, event);
    return json(200, await requestEnd(deps, stream, 'call'));
  });

/** Encoders tidy up what their sliding playlist has left; the media stays for those who rewind. */
export const pushDeleteHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    await openStream(deps, event);
    fileName(event);
    return { statusCode: 204 };
  });
