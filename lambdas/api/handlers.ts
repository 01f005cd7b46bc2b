/** Which handler serves which route. */

import type { RouteName } from '../../lib/api/routes.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { removeCaptionsHandler } from './captions.ts';
import { listClipsHandler, removeClipHandler, saveClipHandler } from './clips.ts';
import { dashSegmentHandler } from './dash-segment.ts';
import { healthzHandler } from './healthz.ts';
import {
  changeMarkerHandler,
  listMarkersHandler,
  putMarkersHandler,
  removeMarkerHandler,
} from './markers.ts';
import { pushHandler } from './push.ts';
import { putStreamHandler } from './put-stream.ts';
import { serverTimeHandler } from './server-time.ts';
import { deleteStreamHandler, getStreamHandler, listStreamsHandler } from './streams.ts';
import { uploadHandler } from './upload.ts';
import { endStreamHandler, pushDeleteHandler } from './upload-end.ts';
import { viewMetadataHandler, viewPlaylistHandler, viewThumbnailsHandler } from './view.ts';
import { viewCaptionsHandler } from './view-captions.ts';
import { viewClipHandler } from './view-clip.ts';
import { noPage, type PageSource, viewPageHandler } from './view-page.ts';
import { viewPictureHandler } from './view-picture.ts';
import { viewSegmentHandler } from './view-segment.ts';

export type ApiHandler = ReturnType<typeof healthzHandler> &
  Partial<Pick<ReturnType<typeof listStreamsHandler>, 'refusal'>>;

/** All of them in one process; on AWS each is a function of its own. `pages`: the built pages of streams. */
export function apiHandlers(deps: Deps, pages: PageSource = noPage): Record<RouteName, ApiHandler> {
  const viewer = createViewer(deps);
  const page = viewPageHandler(deps, pages, viewer);
  const clip = viewClipHandler(deps);
  const push = pushHandler(deps);
  const captions = viewCaptionsHandler(deps);
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
    dashSegment: dashSegmentHandler(deps),
    serverTime: serverTimeHandler(deps),
    viewCaptionFile: captions,
    viewCaptionSegment: captions,
    removeCaptions: removeCaptionsHandler(deps),
    viewThumbnails: viewThumbnailsHandler(deps, viewer),
    viewPicture: viewPictureHandler(deps),
    viewSegment: viewSegmentHandler(deps),
    viewClip: clip,
    viewClipPlaylist: clip,
    watchPage: page,
    embedPage: page,
    listMarkers: listMarkersHandler(deps, viewer),
    putMarkers: putMarkersHandler(deps),
    changeMarker: changeMarkerHandler(deps),
    removeMarker: removeMarkerHandler(deps),
    listClips: listClipsHandler(deps),
    saveClip: saveClipHandler(deps),
    removeClip: removeClipHandler(deps),
    healthz: healthzHandler(deps),
  };
}
