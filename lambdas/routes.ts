/** Which handler serves which route. */

import type { RouteName } from '../lib/api/routes.ts';
import type { Deps } from '../lib/pipeline/deps.ts';
import { createViewer } from '../lib/pipeline/view.ts';
import { healthzHandler } from './api/healthz.ts';
import { putStreamHandler } from './api/put-stream.ts';
import { deleteStreamHandler, getStreamHandler, listStreamsHandler } from './api/streams.ts';
import { pushHandler, uploadHandler } from './api/upload.ts';
import { endStreamHandler, pushDeleteHandler } from './api/upload-end.ts';
import { viewMetadataHandler, viewPlaylistHandler } from './api/view.ts';
import { viewSegmentHandler } from './api/view-segment.ts';

export type ApiHandler = ReturnType<typeof healthzHandler>;

/** All of them in one process; on AWS each is a function of its own. */
export function apiHandlers(deps: Deps): Record<RouteName, ApiHandler> {
  const viewer = createViewer(deps);
  const push = pushHandler(deps);
  return {
    putStream: putStreamHandler(deps),
    listStreams: listStreamsHandler(deps),
    getStream: getStreamHandler(deps),
    deleteStream: deleteStreamHandler(deps),
    upload: uploadHandler(deps),
    endStream: endStreamHandler(deps),
    pushPut: push,
    pushPost: push,
    pushDelete: pushDeleteHandler(deps),
    viewMetadata: viewMetadataHandler(deps, viewer),
    viewPlaylist: viewPlaylistHandler(deps, viewer),
    viewSegment: viewSegmentHandler(deps),
    healthz: healthzHandler(deps),
  };
}
