/** `/viewstream/{videoId}`: one segment as a file of its own. No key is needed, and a CDN may cache the answers. */

import { parseLanguage, parseVideoId } from '../../lib/domain/ids.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { findMoment, joinSegment, parseFormat } from '../../lib/pipeline/view/segment-file.ts';
import { apiHandler } from '../runtime/middleware.ts';

export const viewSegmentHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const query = event.queryStringParameters ?? {};
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const format = parseFormat(query.format);
    const language = parseLanguage(query.lang);
    const moment = await findMoment(deps, videoId, query.timestamp);
    const { resolution } = query;
    const key = await joinSegment(deps, moment, { format, resolution, language });
    // The object never changes; the segment at a timestamp does, when its late arrival comes.
    const headers = { location: `/${key}`, 'cache-control': 'public, max-age=10' };
    return { statusCode: 302, headers };
  });
