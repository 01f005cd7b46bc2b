/** The calls of the API that the page makes. */

import { ApiError, createApiClient } from '../../lib/api/client.ts';
import type { ErrorBody, MarkerList, StreamView } from '../../lib/api/messages.ts';

/** A server that takes longer counts as unreachable. */
const TIMEOUT_MS = 10_000;

/** All streams for the owner; without a key those that are listed. Throws `ApiError`. */
export const listStreams = (
  ownerKey: string | undefined,
  signal: AbortSignal,
): Promise<readonly StreamView[]> =>
  createApiClient({ baseUrl: location.origin, key: ownerKey, timeoutMs: TIMEOUT_MS }).listStreams({
    signal,
  });

/** The public view of a stream. Throws `ApiError`, or `TypeError` when the server is out of reach. */
export const viewStream = (videoId: string, signal: AbortSignal): Promise<StreamView> =>
  // Not by Accept: the same path answers players with a playlist, and a cache could confuse the two.
  getJson(`/viewstream/metadata/${encodeURIComponent(videoId)}?format=json`, signal);

/** What is new since a version of the markers. Throws like `viewStream`. */
export const listMarkers = (
  videoId: string,
  since: number,
  signal: AbortSignal,
): Promise<MarkerList> => getJson(`/markers/${encodeURIComponent(videoId)}?since=${since}`, signal);

/** Undefined once it is kept, else why not. */
export async function keepClip(
  videoId: string,
  clip: Readonly<{ from: string; to: string }>,
  ownerKey: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await fetch(`/clips/${encodeURIComponent(videoId)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ownerKey}` },
    body: JSON.stringify(clip),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (response.ok) return undefined;
  const said: Partial<ErrorBody> = await response.json().catch(() => ({}));
  return said.message ?? `The server answered ${response.status}.`;
}

/** The index of a stream's preview thumbnails, WebVTT; `path` as the stream's view says it. Throws like `viewStream`. */
export const viewThumbnails = async (path: string): Promise<string> =>
  (await get(path, AbortSignal.timeout(TIMEOUT_MS))).text();

const getJson = async <Answer>(path: string, signal: AbortSignal): Promise<Answer> =>
  (await get(path, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))).json();

async function get(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { cache: 'no-store', signal });
  if (response.ok) return response;
  const said: Partial<ErrorBody> = await response.json().catch(() => ({}));
  throw new ApiError(
    said.code ?? 'internal',
    said.message ?? `The server answered ${response.status}.`,
    said.hint ?? '',
    response.status,
  );
}
