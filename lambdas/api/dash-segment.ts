/** `/viewstream/segment/…`: where the segments of an MPD are. No key is needed, and a CDN keeps the answers. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { findSegment } from '../../lib/pipeline/view/dash-segment.ts';
import { apiHandler } from '../runtime/middleware.ts';

export const dashSegmentHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const { videoId, rendition = '', period = '', segment = '' } = event.pathParameters ?? {};
    const [, run, discontinuities, latePieces] =
      period.match(/^(\d{1,15})-(\d{1,15})(?:-(\d{1,15}))?$/) ?? [];
    const startTicks = segment.match(/^(\d{1,15})\.m4s$/)?.[1];
    if (run === undefined || discontinuities === undefined || startTicks === undefined) {
      throw new DomainError(
        'bad_request',
        `"${period}/${segment}" does not name a segment.`,
        'Use the addresses of the MPD.',
      );
    }
    const key = await findSegment(deps, {
      ...{ videoId: parseVideoId(videoId), rendition, run: Number(run) },
      ...{ discontinuities: Number(discontinuities), startTicks: Number(startTicks) },
      latePieces: latePieces === undefined ? undefined : Number(latePieces),
    });
    return {
      statusCode: 302,
      headers: { location: `/${key}`, 'cache-control': 'public, max-age=31536000, immutable' },
    };
  });
