/** Segments too large for a request body: permission to PUT them straight to the store, and their commit. */

import { createHash } from 'node:crypto';
import type { PresignedUpload } from '../../api/messages.ts';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { parsePresignedKey, presignedKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import type { PresignedUploadRecord, Versioned } from '../records/stream-records.ts';
import { receiptFor } from './receipt.ts';
import { type UploadResult, uploadSegment } from './upload.ts';

export type PresignRequest = Readonly<{
  number: number;
  session?: string;
  digest: string;
  sizeBytes: number;
  durationSeconds?: number;
  pushed: boolean;
}>;

/** A minute for each 10 MB, which any line that carries live video can do. */
const GRANT_LIFETIME_MS = 15 * 60_000;
/** Outcomes of failed commits stay to be asked for. */
const GRANT_RECORD_MS = 24 * 3600_000;
/** Larger than any segment a player could use; a mistyped size is refused early. */
const MAX_SEGMENT_BYTES = 512 * 1024 * 1024;

/**
 * The receipt if these bytes are committed; else where to PUT them. Throws what the commit found
 * wrong with them.
 */
export async function presignUpload(
  deps: Deps,
  stream: Versioned<Stream>,
  request: PresignRequest,
): Promise<UploadResult | PresignedUpload> {
  const { records } = deps;
  if (request.sizeBytes < 1 || request.sizeBytes > MAX_SEGMENT_BYTES) {
    throw new DomainError(
      request.sizeBytes < 1 ? 'empty_body' : 'too_large',
      `A segment of ${request.sizeBytes} bytes cannot be taken.`,
      `Announce the segment's size in bytes, at most ${MAX_SEGMENT_BYTES}.`,
    );
  }
  const presignId = presignIdOf(request);
  const found = await records.findPresigned(stream.value, presignId);
  if (found?.value.failure) {
    const { code, message, hint } = found.value.failure;
    throw new DomainError(code as ErrorCode, message, hint);
  }
  const committed = await findCommitted(deps, stream.value, request);
  if (committed) return committed;
  const nowMs = deps.clock.now();
  if (!found) {
    await records.putPresigned(stream.value, { presignId, ...request }, nowMs + GRANT_RECORD_MS);
  }
  const expiresAtMs = nowMs + GRANT_LIFETIME_MS;
  const { url, headers } = await deps.media.presignPut(presignedKey(stream.value, presignId), {
    sizeBytes: request.sizeBytes,
    contentType: 'application/octet-stream',
    digest: request.digest,
    expiresAtMs,
  });
  return {
    stored: false,
    upload: { method: 'PUT', url, headers, expiresAt: new Date(expiresAtMs).toISOString() },
    serverTime: new Date(nowMs).toISOString(),
  };
}

/** Asking twice for the same bytes at the same place gives the same grant. */
const presignIdOf = ({ number, session, digest, sizeBytes }: PresignRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([number, session ?? null, digest, sizeBytes]))
    .digest('hex')
    .slice(0, 40);

async function findCommitted(
  deps: Deps,
  stream: Stream,
  request: PresignRequest,
): Promise<UploadResult | undefined> {
  const { records } = deps;
  const newest = await records.newestRun(stream);
  const runs =
    request.session === undefined
      ? // An encoder started anew may repeat what came before it.
        [newest, newest && (await records.getRun(stream, newest.run - 1))]
      : [await records.runOfSession(stream, request.session)];
  for (const run of runs) {
    const segment = run && (await records.findSegment(stream, run.run, request.number));
    if (run && segment?.digest === request.digest) {
      return { receipt: await receiptFor(deps, stream, run, segment), isNew: false };
    }
  }
  return undefined;
}

/** The store holds a granted object: take it in as if it had come in a body. */
export async function commitPresigned(deps: Deps, key: string): Promise<void> {
  const place = parsePresignedKey(key);
  if (!place) return;
  const { records } = deps;
  const stream = await records.findStream(place.videoId);
  if (stream?.value.uid !== place.uid) return;
  const grant = await records.findPresigned(stream.value, place.presignId);
  const bytes = grant && (await deps.media.get(key));
  if (!grant || !bytes) return;
  const { number, session, digest, durationSeconds, pushed } = grant.value;
  try {
    await uploadSegment(deps, stream, {
      number,
      bytes,
      digest,
      pushed,
      storedKey: key,
      ...(session === undefined ? {} : { session }),
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
    });
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'unavailable') throw error;
    await recordFailure(deps, stream.value, grant.value, error);
    await deps.media.delete([key]);
  }
}

/** The encoder learns it when it asks for its receipt. */
async function recordFailure(
  deps: Deps,
  stream: Stream,
  grant: PresignedUploadRecord,
  { code, message, hint }: DomainError,
): Promise<void> {
  const failed = { ...grant, failure: { code, message, hint } };
  const expiresAtMs = deps.clock.now() + GRANT_RECORD_MS;
  await deps.records.putPresigned(stream, failed, expiresAtMs);
}
