/** `/watch/{videoId}` and `/embed/{videoId}`: pages whose head says what they show, for previews of links. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { createViewer, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { apiHandler, type HttpEvent, type HttpResult } from '../runtime/middleware.ts';
import { type PageInfo, withPageInfo } from '../runtime/page-info.ts';

/** The HTML of a built page. */
export type PageSource = (name: StreamPage) => Promise<string>;
export type StreamPage = 'watch' | 'embed';

/** Of a server without pages. */
export const noPage: PageSource = async () => {
  throw new DomainError(
    'not_found',
    'This server has no pages.',
    'Watch the stream in any HLS player: /viewstream/metadata/{videoId}.m3u8.',
  );
};

/** Only our own pages may frame one where a key may be typed; the player is for every site. */
const FRAME_ANCESTORS: Readonly<Record<StreamPage, string>> = { watch: "'self'", embed: '*' };

export const viewPageHandler = (
  deps: Deps,
  source: PageSource,
  viewer: Pick<Viewer, 'state'> = createViewer(deps),
) =>
  apiHandler(async (event): Promise<HttpResult> => {
    const page: StreamPage = event.rawPath.startsWith('/embed/') ? 'embed' : 'watch';
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const html = await source(page);
    return {
      statusCode: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'public, max-age=10',
        'content-security-policy': `frame-ancestors ${FRAME_ANCESTORS[page]}`,
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      },
      body: withPageInfo(html, await infoOf(event, videoId, viewer)),
    };
  });

/** A page of a stream that is not there yet waits for it. */
async function infoOf(
  event: HttpEvent,
  videoId: string,
  viewer: Pick<Viewer, 'state'>,
): Promise<PageInfo> {
  const host = event.headers['x-forwarded-host'] ?? event.headers.host ?? '';
  const protocol = event.headers['x-forwarded-proto'] ?? 'http';
  const origin = `${protocol}://${host}`;
  const url = `${origin}/watch/${encodeURIComponent(videoId)}`;
  try {
    const { title, state, durationSeconds, poster } = await viewer.state(videoId);
    const shown = poster === undefined ? {} : { poster: origin + poster };
    return { url, title, state, durationSeconds, ...shown };
  } catch (error) {
    if (error instanceof DomainError && error.status === 404) return { url, title: videoId };
    throw error;
  }
}
