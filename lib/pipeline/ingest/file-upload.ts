/**
 * The upload of a whole file: in parts, which may be sent in any order and over any number of days, or as
 * the body of the request if it is small. Its name and size tell which upload is gone on with.
 */

import type { FileUpload } from '../../api/messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { uploadedFileKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import { isUnderWay, partBytesOf, type UploadedFile } from '../../domain/uploaded-file.ts';
import { MAX_PARTS, type MultipartUpload } from '../../ports/ports.ts';
import { ensureStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { enqueueJobs } from '../jobs/enqueue.ts';
import { splitFile } from '../jobs/split-file/split-file.ts';
import type { Versioned } from '../records/record-types.ts';
import { findUploadedFile, putUploadedFile } from '../records/uploaded-file-records.ts';
import { requestScaling } from '../upkeep/scaling.ts';
import { fileView } from '../view/file-view.ts';

export type FileRequest = Readonly<{ name: string; sizeBytes: number }>;

export type FileUploadResult = Readonly<{
  type: 'missing' | 'completed' | 'known';
  answer: FileUpload;
}>;

const MAX_FILE_BYTES = 1024 ** 4;
const CONTENT_TYPE = 'application/octet-stream';
/** A part of 8 MiB comes in that time over the slowest line that carries video. */
const PRESIGNED_LIFETIME_MS = 6 * 3600_000;
/** In one answer. */
const MAX_PRESIGNED = 16;
/** An upload that nobody has gone on with for so long gives way to another file. */
const FORSAKEN_MS = 10 * 60_000;

/**
 * What is missing of the file, or that it is complete. The first call begins its upload, the one that finds
 * all parts queues its job. Throws DomainError: what the file failed with; `file_under_way`.
 */
export async function requestFileUpload(
  deps: Deps,
  stream: Versioned<Stream>,
  request: FileRequest,
): Promise<FileUploadResult> {
  requireSaneSize(request.sizeBytes);
  stream = await openStreamOfFile(deps, stream);
  const found = await findUploadedFile(deps, stream.value);
  const known = found && isSame(found.value, request) ? found.value : undefined;
  if (known?.failure) {
    throw new DomainError(known.failure.code, known.failure.message, known.failure.hint);
  }
  if (known && known.state !== 'uploading') return answerOf(deps, 'known', known);
  const upload = known && multipartOf(stream.value, known);
  const parts = upload && (await deps.media.multipart.list(upload));
  const isStored = upload && !parts && (await deps.media.multipart.complete(upload));
  if (!known || !upload || !(parts || isStored)) return begin(deps, stream.value, request, found);
  const count = partCount(upload);
  if (isStored || (parts && parts.length >= count)) {
    await deps.media.multipart.complete(upload);
    return complete(deps, stream.value, known);
  }
  const touched = {
    ...known,
    storedBytes: Math.min(known.sizeBytes, (parts?.length ?? 0) * upload.partBytes),
    touchedAtMs: deps.clock.now(),
  };
  // Another call was faster, and told the same.
  await putUploadedFile(deps, stream.value, touched, found?.version ?? 0);
  return grant(deps, upload, touched, parts ?? []);
}

/** A file that came as the body of a request. Throws as `requestFileUpload`. */
export async function takeWholeFile(
  deps: Deps,
  stream: Versioned<Stream>,
  { name, bytes }: Readonly<{ name: string; bytes: Uint8Array }>,
): Promise<FileUploadResult> {
  const request = { name, sizeBytes: bytes.byteLength };
  requireSaneSize(request.sizeBytes);
  stream = await openStreamOfFile(deps, stream);
  const found = await findUploadedFile(deps, stream.value);
  const known = found && isSame(found.value, request) ? found.value : undefined;
  if (known && known.state !== 'uploading') return answerOf(deps, 'known', known);
  const file = await register(deps, stream.value, request, found);
  await deps.media.put(uploadedFileKey(stream.value, file.fileId), bytes, CONTENT_TYPE);
  return complete(deps, stream.value, file);
}

/** Of a stream that is removed: its parts are no objects yet. */
export async function dropUpload(
  deps: Pick<Deps, 'store' | 'media'>,
  stream: Stream,
): Promise<void> {
  const file = (await findUploadedFile(deps, stream))?.value;
  const upload = file?.state === 'uploading' && multipartOf(stream, file);
  if (upload) await deps.media.multipart.abort(upload);
}

/** Viewers may go back to the start of a stream that begins with a file. */
function openStreamOfFile(deps: Deps, stream: Versioned<Stream>): Promise<Versioned<Stream>> {
  const { value, version } = stream;
  if (version > 0) return Promise.resolve(stream);
  const settings = { ...value.settings, dvrWindowSeconds: null };
  return ensureStream(deps, { value: { ...value, settings }, version });
}

const isSame = (file: UploadedFile, { name, sizeBytes }: FileRequest): boolean =>
  file.name === name && file.sizeBytes === sizeBytes;

function requireSaneSize(sizeBytes: number): void {
  if (sizeBytes >= 1 && sizeBytes <= MAX_FILE_BYTES) return;
  throw new DomainError(
    sizeBytes < 1 ? 'empty_body' : 'too_large',
    `A file of ${sizeBytes} bytes cannot be taken.`,
    `Say the file's size in bytes as ?size=, at most ${MAX_FILE_BYTES}, or send it as the body.`,
  );
}

const multipartOf = (stream: Stream, file: UploadedFile): MultipartUpload | undefined =>
  file.multipart && {
    key: uploadedFileKey(stream, file.fileId),
    sizeBytes: file.sizeBytes,
    ...file.multipart,
  };

const partCount = ({ sizeBytes, partBytes }: MultipartUpload): number =>
  Math.ceil(sizeBytes / partBytes);

async function begin(
  deps: Deps,
  stream: Stream,
  request: FileRequest,
  before: Versioned<UploadedFile> | undefined,
): Promise<FileUploadResult> {
  const partBytes = partBytesOf(request.sizeBytes, MAX_PARTS);
  const file = await register(deps, stream, request, before, async (key) => ({
    id: await deps.media.multipart.begin({
      ...{ key, sizeBytes: request.sizeBytes, partBytes },
      contentType: CONTENT_TYPE,
    }),
    partBytes,
  }));
  const upload = multipartOf(stream, file);
  if (!upload) throw raced();
  return grant(deps, upload, file, []);
}

/** Writes the record of a new upload. Throws `file_under_way`. */
async function register(
  deps: Deps,
  stream: Stream,
  { name, sizeBytes }: FileRequest,
  before: Versioned<UploadedFile> | undefined,
  open?: (key: string) => Promise<NonNullable<UploadedFile['multipart']>>,
): Promise<UploadedFile> {
  const nowMs = deps.clock.now();
  const replaced = before?.value;
  if (replaced && !isSame(replaced, { name, sizeBytes })) requireForsaken(replaced, nowMs);
  const fileId = (replaced?.fileId ?? 0) + 1;
  const multipart = await open?.(uploadedFileKey(stream, fileId));
  const file: UploadedFile = {
    ...{ fileId, name, sizeBytes, state: 'uploading', storedBytes: 0 },
    ...{ createdAtMs: nowMs, touchedAtMs: nowMs },
    ...(multipart && { multipart }),
  };
  const written = await putUploadedFile(deps, stream, file, before?.version ?? 0);
  const unused = written ? replaced?.state === 'uploading' && replaced : file;
  const upload = unused && multipartOf(stream, unused);
  if (upload) await deps.media.multipart.abort(upload);
  if (!written) throw raced();
  return file;
}

function requireForsaken(file: UploadedFile, nowMs: number): void {
  if (!isUnderWay(file)) return;
  if (file.state === 'uploading' && nowMs - file.touchedAtMs >= FORSAKEN_MS) return;
  const doing = file.state === 'uploading' ? 'uploaded' : 'processed';
  throw new DomainError(
    'file_under_way',
    `"${file.name}" is being ${doing} for this stream.`,
    'Wait for its end, or send the file to another stream.',
  );
}

const raced = (): DomainError =>
  new DomainError('unavailable', 'Two uploads of a file began at once.', 'Ask again in a second.');

/** The job is queued first: should this process die before it is recorded, the next call queues it again. */
async function complete(deps: Deps, stream: Stream, file: UploadedFile): Promise<FileUploadResult> {
  const { videoId, uid } = stream;
  await enqueueJobs(deps, splitFile, [{ videoId, uid, fileId: file.fileId }]);
  await requestScaling(deps);
  const waiting: UploadedFile = {
    ...file,
    ...{ state: 'waiting', storedBytes: file.sizeBytes, touchedAtMs: deps.clock.now() },
  };
  const found = await findUploadedFile(deps, stream);
  // The job may have begun by now.
  if (found?.value.fileId === file.fileId && found.value.state === 'uploading') {
    await putUploadedFile(deps, stream, waiting, found.version);
  }
  return answerOf(deps, 'completed', waiting);
}

const answerOf = (
  { clock }: Deps,
  type: FileUploadResult['type'],
  file: UploadedFile,
): FileUploadResult => ({
  type,
  answer: { file: fileView(file), serverTime: new Date(clock.now()).toISOString() },
});

async function grant(
  deps: Deps,
  upload: MultipartUpload,
  file: UploadedFile,
  stored: readonly number[],
): Promise<FileUploadResult> {
  const { sizeBytes, partBytes } = upload;
  const parts = partCount(upload);
  const there = new Set(stored);
  const numbers = Array.from({ length: parts }, (_, index) => index + 1);
  const absent = numbers.filter((part) => !there.has(part));
  const expiresAtMs = deps.clock.now() + PRESIGNED_LIFETIME_MS;
  const missing = await Promise.all(
    absent.slice(0, MAX_PRESIGNED).map(async (part) => {
      const { method, url, headers } = await deps.media.multipart.presignPart(
        upload,
        part,
        expiresAtMs,
      );
      const offset = (part - 1) * partBytes;
      const size = Math.min(partBytes, sizeBytes - offset);
      return { part, offset, sizeBytes: size, method, url, headers };
    }),
  );
  const expiresAt = new Date(expiresAtMs).toISOString();
  const { answer } = answerOf(deps, 'missing', file);
  const missingParts = absent.length;
  return {
    type: 'missing',
    answer: { ...answer, upload: { partBytes, parts, missingParts, missing, expiresAt } },
  };
}
