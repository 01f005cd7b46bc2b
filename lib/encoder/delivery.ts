/** Sends one segment until its receipt comes: in the request's body, or by a presigned upload. */

import { createHash } from 'node:crypto';
import { type ApiClient, ApiError, type SegmentInfo } from '../api/client.ts';
import type { PresignedUpload, Receipt } from '../api/messages.ts';
import { MAX_BODY_BYTES } from '../api/routes.ts';
import { GaveUp, retryDelayMs, type ServerLink } from './server-link.ts';

/** The server does not accept these bytes; other segments may follow. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: ApiError;

  constructor(reason: ApiError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/** Retries of a body that arrived damaged: more of them are no fault of the line. */
const MAX_DAMAGED = 3;
/** An uploaded object is committed a moment later; after this long it is uploaded again. */
const COMMIT_PATIENCE_MS = 60_000;
const MAX_POLL_MS = 2000;
const MAX_STORE_REFUSALS = 4;

/** Statuses that are about one segment, and not about the key, the stream or the call. */
const SEGMENT_STATUSES: readonly number[] = [400, 409, 413, 415, 422];
const CALL_CODES: readonly string[] = ['bad_video_id'];

export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** From a failure that does not pass: `Refused` to go on without the segment, or `GaveUp`. */
export function judge(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (SEGMENT_STATUSES.includes(error.status) && !CALL_CODES.includes(error.code)) {
    return new Refused(error);
  }
  return new GaveUp(`${error.message} ${error.hint}`.trim());
}

/** The stream that is sent to, and the way there. */
export type Destination = Readonly<{ api: ApiClient; link: ServerLink; videoId: string }>;

/** Throws `Refused`, `GaveUp`, or the reason of the link's signal. */
export async function deliverSegment(
  to: Destination,
  segment: SegmentInfo,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt> {
  const named = { ...segment, digest: digestOf(bytes) };
  try {
    if (bytes.length <= MAX_BODY_BYTES) {
      const receipt = await deliverByBody(to, named, bytes);
      if (receipt) return receipt;
    }
    return await deliverPresigned(to, { ...named, sizeBytes: bytes.length }, bytes);
  } catch (error) {
    throw judge(error);
  }
}

/** undefined if a gateway in between takes less than the API says. */
async function deliverByBody(
  { api, link, videoId }: Destination,
  segment: SegmentInfo,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt | undefined> {
  for (let damaged = 0; ; damaged += 1) {
    try {
      return await link.call((signal) => api.uploadSegment(videoId, segment, bytes, { signal }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 413) return undefined;
      if (error.code !== 'digest_mismatch' || damaged >= MAX_DAMAGED) throw error;
      await link.pause(retryDelayMs(damaged + 1));
    }
  }
}

export async function deliverPresigned(
  { api, link, videoId }: Destination,
  segment: SegmentInfo & Readonly<{ digest: string; sizeBytes: number }>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Receipt> {
  const ask = (): Promise<Receipt | PresignedUpload> =>
    link.call((signal) => api.requestPresignedUpload(videoId, segment, { signal }));
  let refusals = 0;
  for (;;) {
    const presigned = await ask();
    if (presigned.stored) return presigned;
    try {
      await link.call((signal) => api.putPresigned(presigned, bytes, { signal }));
    } catch (error) {
      // It expired, or the bytes were damaged: a new one helps with both.
      if (!(error instanceof ApiError)) throw error;
      // The store's own statuses say nothing about our key.
      if (refusals >= MAX_STORE_REFUSALS) throw new Refused(error);
      refusals += 1;
      await link.pause(retryDelayMs(refusals));
      continue;
    }
    const deadline = performance.now() + COMMIT_PATIENCE_MS;
    for (let polls = 0; performance.now() < deadline; polls += 1) {
      const committed = await ask();
      if (committed.stored) return committed;
      await link.pause(Math.min(MAX_POLL_MS, retryDelayMs(polls + 1) / 2));
    }
  }
}
