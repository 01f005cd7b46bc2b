/** `/viewstream/{videoId}/picture`: a JPEG of a moment. No key is needed, and a CDN may cache the answers. */

import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { requestFile } from '../../lib/pipeline/jobs/file-request.ts';
import { picture } from '../../lib/pipeline/jobs/picture.ts';
import { findPicture } from '../../lib/pipeline/view/picture.ts';
import { apiHandler } from '../runtime/middleware.ts';
import { answerWithFile, parseWait } from './requested-file.ts';

export const viewPictureHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const { timestamp, width, wait } = event.queryStringParameters ?? {};
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const waitSeconds = parseWait(wait);
    const { stream, job } = await findPicture(deps, videoId, timestamp, width);
    // The object never changes; what is newest does, and a moment when its late arrival comes.
    const maxAgeSeconds = timestamp === undefined ? 1 : 10;
    const headers = { 'cache-control': `public, max-age=${maxAgeSeconds}` };
    return answerWithFile(() => requestFile(deps, stream, picture, job), waitSeconds, headers);
  });
