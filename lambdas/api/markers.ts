/** `/markers/{videoId}`: markers are read without a key, and changed with one that may upload. */

import { markerChangeSchema, markersSchema } from '../../lib/api/markers.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { getStream, openForUpload, requireKey } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { changeMarker, putMarkers, removeMarker } from '../../lib/pipeline/markers/edit-markers.ts';
import { markerView } from '../../lib/pipeline/view/marker-list.ts';
import { createViewer, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { apiHandler, type HttpEvent, json, keyedHandler } from '../runtime/middleware.ts';
import { parseBody } from '../runtime/request-body.ts';
import { keyOf } from '../runtime/request-key.ts';

/** A CDN joins the requests of all viewers who poll; a second is half of what a new marker may take. */
const CACHED = { 'cache-control': 'public, max-age=1' };

export const listMarkersHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const { from, to, class: className, since } = event.queryStringParameters ?? {};
    return json(200, await viewer.markers(videoId, { from, to, class: className, since }), CACHED);
  });

const open = async (deps: Deps, event: HttpEvent) => {
  const videoId = parseVideoId(event.pathParameters?.videoId);
  const { value, version } = await openForUpload(deps, videoId, requireKey(keyOf(event)));
  // Markers do not create a stream: an id with a typing error would.
  return version > 0 ? value : (await getStream(deps, videoId)).value;
};

const markerIdOf = (event: HttpEvent): string => event.pathParameters?.markerId ?? '';

/** 201 when all are new, 200 when some were there. */
export const putMarkersHandler = (deps: Deps) =>
  keyedHandler(
    (event) => open(deps, event),
    async (event, stream) => {
      const body = parseBody(markersSchema, event);
      const inputs = 'markers' in body ? body.markers : [body];
      const { markers, known } = await putMarkers(deps, stream, inputs);
      return json(known > 0 ? 200 : 201, { markers: markers.map(markerView) });
    },
  );

export const changeMarkerHandler = (deps: Deps) =>
  keyedHandler(
    (event) => open(deps, event),
    async (event, stream) => {
      const change = parseBody(markerChangeSchema, event);
      return json(200, markerView(await changeMarker(deps, stream, markerIdOf(event), change)));
    },
  );

export const removeMarkerHandler = (deps: Deps) =>
  keyedHandler(
    (event) => open(deps, event),
    async (event, stream) => {
      await removeMarker(deps, stream, markerIdOf(event));
      return { statusCode: 204 };
    },
  );
