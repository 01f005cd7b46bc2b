/** Makes the stream ready for a broadcast, as far as the key allows. */

import { ApiError, createApiClient } from '../../lib/api/client.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { viewStream } from '../shared/stream-api.ts';
import { SEGMENT_SECONDS } from './segment-cutter.ts';
import type { StudioAccess } from './studio-link.ts';

const TIMEOUT_MS = 10_000;

/** undefined: there is no such stream yet. Throws `ApiError`, or `TypeError` when the server is out of reach. */
export async function findStream(videoId: string): Promise<StreamView | undefined> {
  try {
    return await viewStream(videoId, AbortSignal.timeout(TIMEOUT_MS));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Whether the key may send to the stream. Asks by an upload without a segment: who may not, is told so before
 * that is noticed. Throws `TypeError` when the server is out of reach.
 */
export async function opensStream({ videoId, key }: StudioAccess): Promise<boolean> {
  const { status } = await fetch(`/upload/${encodeURIComponent(videoId)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return status !== 401 && status !== 403;
}

/**
 * Creates the stream, or names it. Only the owner's key can; with an upload key that is tried where there
 * is something to change. Returns whether the key could. Throws `ApiError`.
 */
export async function prepareStream(
  { videoId, key }: StudioAccess,
  title: string,
  before: StreamView | undefined,
): Promise<boolean> {
  const api = createApiClient({ baseUrl: location.origin, key, timeoutMs: TIMEOUT_MS });
  const named = title === '' ? {} : { title };
  try {
    await api.putStream(videoId, { ...named, targetDurationSeconds: SEGMENT_SECONDS });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // What has media keeps the target duration that players rely on.
    if (error.code === 'stream_exists') await api.putStream(videoId, named);
    else if (error.status !== 403 || before === undefined) throw error;
    else return false;
  }
  return true;
}
