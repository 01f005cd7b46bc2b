/** Brings one segment to the server, by the body or by a grant, until its receipt is there. */

import { createHash } from 'node:crypto';
import { type ApiClient, ApiError, type SegmentPlace } from '../api/client.ts';
import type { PresignedUpload, Receipt } from '../api/messages.ts';
import { MAX_BODY_BYTES } from '../api/routes.ts';
import { backoffMs, GaveUp, type ServerLink } from './server-link.ts';

/** The server will not have these bytes; others may follow. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: ApiError;

  constructor(reason: ApiError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/** Bytes were damaged on their way, which is rare enough that this often is a fault of ours. */
const MAX_DAMAGED = 3;
/** A store works for a moment on what it took; after this long it is given the bytes once more. */
const COMMIT_PATIENCE_MS = 60_000;
const MAX_POLL_MS = 2000;
const MAX_STORE_REFUSALS = 4;

/** What is wrong with one segment, and not with the key, the stream or the call. */
const SEGMENT_STATUSES: readonly number[] = [400, 409, 413, 415, 422];
const CALL_CODES: readonly string[] = ['bad_video_id'];

export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Turns a failure that will not pass into what is to be done: go on without the segment, or stop. */
export function judge(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (SEGMENT_STATUSES.includes(error.status) && !CALL_CODES.includes(error.code)) {
    return new Refused(error);
  }
  return new GaveUp(`${error.message} ${error.hint}`.trim());
}

/** Throws `Refused`, `GaveUp`, or the reason of the link's signal. */
export async function deliverSegment(
  link: ServerLink,
  api: ApiClient,
  videoId: string,
  place: SegmentPlace,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt> {
  const named = { ...place, digest: digestOf(bytes) };
  try {
    if (bytes.length <= MAX_BODY_BYTES) {
      const receipt = await deliverByBody(link, api, videoId, named, bytes);
      if (receipt) return receipt;
    }
    return await deliverByGrant(link, api, videoId, { ...named, sizeBytes: bytes.length }, bytes);
  } catch (error) {
    throw judge(error);
  }
}

/** undefined if a gateway in between takes less than the API says. */
async function deliverByBody(
  link: ServerLink,
  api: ApiClient,
  videoId: string,
  place: SegmentPlace,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt | undefined> {
  for (let damaged = 0; ; damaged += 1) {
    try {
      return await link.call((signal) => api.uploadSegment(videoId, place, bytes, { signal }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 413) return undefined;
      if (error.code !== 'digest_mismatch' || damaged >= MAX_DAMAGED) throw error;
      await link.pause(backoffMs(damaged));
    }
  }
}

export async function deliverByGrant(
  link: ServerLink,
  api: ApiClient,
  videoId: string,
  place: SegmentPlace & Readonly<{ digest: string; sizeBytes: number }>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt> {
  const ask = (): Promise<Receipt | PresignedUpload> =>
    link.call((signal) => api.requestGrant(videoId, place, { signal }));
  let refusals = 0;
  for (let answer = await ask(); ; answer = await ask()) {
    if (answer.stored) return answer;
    const grant = answer;
    try {
      await link.call((signal) => api.putGranted(grant, bytes, { signal }));
    } catch (error) {
      // The grant ran out, or the bytes came damaged: a new grant mends both.
      if (!(error instanceof ApiError) || refusals >= MAX_STORE_REFUSALS) throw asRefused(error);
      refusals += 1;
      await link.pause(backoffMs(refusals));
      continue;
    }
    const deadline = Date.now() + COMMIT_PATIENCE_MS;
    for (let polls = 0; Date.now() < deadline; polls += 1) {
      const committed = await ask();
      if (committed.stored) return committed;
      await link.pause(Math.min(MAX_POLL_MS, backoffMs(polls) / 2));
    }
  }
}

/** The store has statuses of its own: none of them says anything of our key. */
const asRefused = (error: unknown): unknown =>
  error instanceof ApiError ? new Refused(error) : error;
