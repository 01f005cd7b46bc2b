/** `/viewstream/{videoId}/clip`: a span of a stream, as playlists at once, or as one file that a job makes. No key is needed. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { CaptionLogs } from '../../lib/pipeline/view/captions/caption-logs.ts';
import { requestClipFile } from '../../lib/pipeline/view/clips/clip-file.ts';
import { type ClipViewer, createClipViewer } from '../../lib/pipeline/view/clips/clip-playlists.ts';
import { apiHandler, type HttpEvent, type HttpResult } from '../runtime/middleware.ts';
import { parsePlaylistName } from './playlist-name.ts';
import { answerWithFile, parseWait } from './requested-file.ts';
import { playlist } from './view.ts';

/** What a clip lists is there and stays, but for a segment that comes late into a gap. */
const MAX_AGE_SECONDS = 300;

export const viewClipHandler = (deps: Deps, clips: ClipViewer = createClipViewer(deps)) => {
  const logs = new CaptionLogs(deps);
  return apiHandler(async (event) => {
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const { from, to, format = 'hls' } = event.queryStringParameters ?? {};
    const name = event.pathParameters?.playlist ?? 'index.m3u8';
    if (format === 'mp4') return answerFile(deps, logs, event, videoId);
    if (format !== 'hls') {
      throw new DomainError(
        'unsupported_format',
        `Clips are not made in the format "${format}".`,
        'Ask for format=hls, or for format=mp4.',
      );
    }
    const list = parsePlaylistName(name);
    const document =
      list === 'index'
        ? await clips.multivariant(videoId, { from, to })
        : await clips.media(videoId, list, { from, to });
    return playlist(event, document, MAX_AGE_SECONDS, { vary: 'accept-encoding' });
  });
};

function answerFile(
  deps: Deps,
  logs: CaptionLogs,
  event: HttpEvent,
  videoId: string,
): Promise<HttpResult> {
  const { from, to, resolution, wait } = event.queryStringParameters ?? {};
  return answerWithFile(
    () => requestClipFile(deps, videoId, { from, to, resolution }, logs),
    parseWait(wait),
    { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
  );
}
