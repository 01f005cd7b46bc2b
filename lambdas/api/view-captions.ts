/** `/viewstream/captions`: segments of captions, and whole tracks as files. No key is needed, and a CDN may cache the answers. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { SUB_RIP, WEB_VTT } from '../../lib/domain/media-format.ts';
import { CAPTION_INIT_NAME } from '../../lib/domain/object-keys.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { captionFile } from '../../lib/pipeline/view/captions/caption-file.ts';
import { CaptionLogs } from '../../lib/pipeline/view/captions/caption-logs.ts';
import { captionSegment } from '../../lib/pipeline/view/captions/caption-segment.ts';
import { apiHandler, type HttpResult } from '../runtime/middleware.ts';
import { answerWithFile } from './requested-file.ts';

/** Its address says all that a segment is printed of. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const BRIEFLY = 'public, max-age=10';

/** WebVTT in ISO BMFF. */
const FRAGMENT_TYPE = 'application/mp4';

const FORMATS = { vtt: WEB_VTT, srt: SUB_RIP } as const;

export const viewCaptionsHandler = (deps: Deps) => {
  const logs = new CaptionLogs(deps);
  return apiHandler(async (event) => {
    const { videoId: id, track, file = '' } = event.pathParameters ?? {};
    const videoId = parseVideoId(id);
    if (track !== undefined && file === CAPTION_INIT_NAME) {
      const { webVttInit } = await import('../../lib/media/mux/webvtt-track.ts');
      return answer(webVttInit(), FRAGMENT_TYPE, FOR_EVER);
    }
    if (track !== undefined) {
      const body = await captionSegment(deps, logs, videoId, track, file);
      const contentType = typeof body === 'string' ? WEB_VTT.contentType : FRAGMENT_TYPE;
      return answer(body, contentType, FOR_EVER);
    }
    const [, name, format] = file.match(/^([A-Za-z0-9-]{1,40})\.(vtt|srt)$/) ?? [];
    if (name === undefined || (format !== 'vtt' && format !== 'srt')) {
      throw new DomainError(
        'captions_not_found',
        `"${file.slice(0, 100)}" names no captions.`,
        'Ask for a language and a format: de.vtt, de.srt.',
      );
    }
    const found = await captionFile(deps, logs, videoId, name, format);
    if (typeof found === 'string') return answer(found, FORMATS[format].contentType, BRIEFLY);
    return answerWithFile(async () => found, 0, { 'cache-control': BRIEFLY });
  });
};

const answer = (body: string | Uint8Array, contentType: string, caching: string): HttpResult => ({
  statusCode: 200,
  headers: {
    'content-type': contentType,
    'cache-control': caching,
    'x-content-type-options': 'nosniff',
  },
  ...(typeof body === 'string'
    ? { body }
    : { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }),
});
