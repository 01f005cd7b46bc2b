/** The HTTP contract as data: the gateway, CDK and tests read it. Paths as API Gateway HTTP APIs write them. */

export const ROUTES = {
  putStream: { method: 'PUT', path: '/streams/{videoId}' },
  listStreams: { method: 'GET', path: '/streams' },
  getStream: { method: 'GET', path: '/streams/{videoId}' },
  deleteStream: { method: 'DELETE', path: '/streams/{videoId}' },
  upload: { method: 'POST', path: '/upload/{videoId}' },
  endStream: { method: 'POST', path: '/upload/{videoId}/end' },
  pushPut: { method: 'PUT', path: '/upload/{videoId}/{name+}' },
  pushPost: { method: 'POST', path: '/upload/{videoId}/{name+}' },
  pushDelete: { method: 'DELETE', path: '/upload/{videoId}/{name+}' },
  viewMetadata: { method: 'GET', path: '/viewstream/metadata/{videoId}' },
  viewPlaylist: { method: 'GET', path: '/viewstream/metadata/{videoId}/{playlist}' },
  dashSegment: {
    method: 'GET',
    path: '/viewstream/segment/{videoId}/{rendition}/{period}/{segment}',
  },
  serverTime: { method: 'GET', path: '/time' },
  viewCaptionFile: { method: 'GET', path: '/viewstream/captions/{videoId}/{file}' },
  viewCaptionSegment: { method: 'GET', path: '/viewstream/captions/{videoId}/{track}/{file}' },
  removeCaptions: { method: 'DELETE', path: '/captions/{videoId}/{track}' },
  viewThumbnails: { method: 'GET', path: '/viewstream/thumbnails/{videoId}' },
  viewPicture: { method: 'GET', path: '/viewstream/{videoId}/picture' },
  viewSegment: { method: 'GET', path: '/viewstream/{videoId}' },
  viewClip: { method: 'GET', path: '/viewstream/{videoId}/clip' },
  viewClipPlaylist: { method: 'GET', path: '/viewstream/{videoId}/clip/{playlist}' },
  watchPage: { method: 'GET', path: '/watch/{videoId}' },
  embedPage: { method: 'GET', path: '/embed/{videoId}' },
  listMarkers: { method: 'GET', path: '/markers/{videoId}' },
  putMarkers: { method: 'POST', path: '/markers/{videoId}' },
  changeMarker: { method: 'PATCH', path: '/markers/{videoId}/{markerId}' },
  removeMarker: { method: 'DELETE', path: '/markers/{videoId}/{markerId}' },
  listClips: { method: 'GET', path: '/clips/{videoId}' },
  saveClip: { method: 'POST', path: '/clips/{videoId}' },
  removeClip: { method: 'DELETE', path: '/clips/{videoId}/{clipId}' },
  healthz: { method: 'GET', path: '/healthz' },
} as const;

export type RouteName = keyof typeof ROUTES;

/** Bytes of a body that still fits, base64-encoded, into the 6 MB event of a Lambda function. */
export const MAX_BODY_BYTES = 4_500_000;
