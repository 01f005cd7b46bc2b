/** Segments too large for a request body: a presigned PUT to the store, and the commit of what it stored. */

import { createHash } from 'node:crypto';
import type { PresignedUpload } from '../../api/messages.ts';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { withTrack } from '../../domain/languages/language-track.ts';
import { parsePresignedKey, presignedKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import { ensureStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import type { PresignedUploadRecord, Versioned } from '../records/record-types.ts';
import { receiptFor } from './receipt.ts';
import { type UploadResult, uploadSegment } from './upload.ts';

export type PresignRequest = Readonly<{
  number: number;
  session?: string;
  digest: string;
  sizeBytes: number;
  durationSeconds?: number;
  atMs?: number;
  pushed: boolean;
  /** The file name that it is numbered by. */
  name?: string;
}>;

/** A minute for each 10 MB, which any line that carries live video can do. */
const PRESIGNED_LIFETIME_MS = 15 * 60_000;
/** Outcomes of failed commits stay to be asked for. */
const RECORD_LIFETIME_MS = 24 * 3600_000;
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
  stream = await ensureStream(deps, stream);
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
    await records.putPresigned(stream.value, { presignId, ...request }, nowMs + RECORD_LIFETIME_MS);
  }
  const expiresAtMs = nowMs + PRESIGNED_LIFETIME_MS;
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

/** The same bytes under the same number have the same id, however often they are asked for. */
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
      ? // A restarted encoder may repeat what came before it.
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

/** Ingests an object that was stored by a presigned upload, as if it had come in a request body. */
export async function commitPresigned(deps: Deps, key: string): Promise<void> {
  const place = parsePresignedKey(key);
  if (!place) return;
  const { records } = deps;
  const found = await records.findStream(place.videoId);
  if (found?.value.uid !== place.uid) return;
  const stream = { ...found, value: withTrack(found.value, place.track) };
  const upload = await records.findPresigned(stream.value, place.presignId);
  const bytes = upload && (await deps.media.get(key));
  if (!upload || !bytes) return;
  const { number, session, digest, durationSeconds, atMs, pushed, name } = upload.value;
  try {
    await uploadSegment(deps, stream, {
      number,
      bytes,
      digest,
      pushed,
      storedKey: key,
      ...(session === undefined ? {} : { session }),
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
      ...(atMs === undefined ? {} : { atMs }),
      ...(name === undefined ? {} : { file: { name, mayBeVariant: false, bandwidths: {} } }),
    });
  } catch (error) {
    if (!(error instanceof DomainError) || error.isPassing) throw error;
    await recordFailure(deps, stream.value, upload.value, error);
    await deps.media.delete([key]);
  }
}

/** The encoder learns it when it asks for its receipt. */
async function recordFailure(
  deps: Deps,
  stream: Stream,
  upload: PresignedUploadRecord,
  { code, message, hint }: DomainError,
): Promise<void> {
  const failed = { ...upload, failure: { code, message, hint } };
  const expiresAtMs = deps.clock.now() + RECORD_LIFETIME_MS;
  await deps.records.putPresigned(stream, failed, expiresAtMs);
}
