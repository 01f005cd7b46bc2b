/** `POST /upload/{videoId}`: segments, init segments and captions. */

import { defined } from '../../lib/base/defined.ts';
import { DomainError } from '../../lib/domain/errors.ts';
import { parseDigest, parseSegmentNumber, parseSession } from '../../lib/domain/ids.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { requestFileUpload, takeWholeFile } from '../../lib/pipeline/ingest/file-upload.ts';
import { storeInit } from '../../lib/pipeline/ingest/init-segment.ts';
import { presignUpload } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { assignNumber } from '../../lib/pipeline/ingest/push-naming.ts';
import { type UploadResult, uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import type { Versioned } from '../../lib/pipeline/records/record-types.ts';
import { bodyBytes, type HttpEvent, json, keyedHandler, parameter } from '../runtime/middleware.ts';
import { instantOf } from './upload-instant.ts';
import { checkedFileName, openStream, optionalFileName } from './upload-request.ts';

const answer = ({ receipt, isNew }: UploadResult) => json(isNew ? 201 : 200, receipt);

const MAX_SECONDS = 3600;

const durationOf = (event: HttpEvent): number | undefined =>
  numberOf(event, 'duration', (seconds) => seconds > 0 && seconds <= MAX_SECONDS);

const sizeOf = (event: HttpEvent): number | undefined =>
  numberOf(event, 'size', (bytes) => Number.isSafeInteger(bytes) && bytes >= 0);

const NUMBER_HINTS = {
  duration: 'Send the duration in seconds, as in 4.004.',
  size: 'Send the size in bytes.',
} as const;

function numberOf(
  event: HttpEvent,
  name: keyof typeof NUMBER_HINTS,
  isValid: (value: number) => boolean,
): number | undefined {
  const text = parameter(event, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (isValid(value)) return value;
  throw new DomainError('bad_request', `"${text}" is no ${name}.`, NUMBER_HINTS[name]);
}

export const uploadHandler = (deps: Deps) =>
  keyedHandler(
    (event) => openStream(deps, event, ['captions', 'file']),
    async (event, stream) => {
      const kind = parameter(event, 'kind');
      if (kind === 'captions') {
        // With a validation library, which no cold start of an upload is to load.
        const { uploadCaptions } = await import('./upload-captions.ts');
        return uploadCaptions(deps, event, stream);
      }
      if (kind === 'file') return uploadFile(deps, event, stream);
      const session = parseSession(parameter(event, 'session'));
      const digest = parseDigest(parameter(event, 'digest'));
      const durationSeconds = durationOf(event);
      const atMs = instantOf(event);
      const size = sizeOf(event);
      const bytes = bodyBytes(event);
      if (parameter(event, 'segment') === 'init') {
        await storeInit(deps, stream, bytes, session);
        return { statusCode: 204 };
      }
      const number = parseSegmentNumber(parameter(event, 'segment'));
      const common = { number, ...defined({ session, durationSeconds, atMs }) };
      if (size !== undefined && bytes.byteLength === 0) {
        if (digest === undefined) {
          throw new DomainError(
            'bad_request',
            'A segment that is announced by its size needs its digest.',
            'Send ?digest= with the sha-256 of the bytes in hexadecimal.',
          );
        }
        const name = optionalFileName(parameter(event, 'name'));
        const named = name !== undefined && {
          name,
          number: (await assignNumber(deps.records, stream.value, session, name)).number,
        };
        const pushed = name !== undefined;
        const request = { ...common, digest, sizeBytes: size, pushed, ...named };
        const result = await presignUpload(deps, stream, request);
        return 'receipt' in result ? answer(result) : json(202, result);
      }
      if (size !== undefined && size !== bytes.byteLength) {
        throw new DomainError(
          'size_mismatch',
          `${bytes.byteLength} bytes came, ${size} were announced.`,
          'Send the whole segment as the body, or no body at all to get a presigned upload.',
        );
      }
      const segment = { ...common, bytes, pushed: false, ...defined({ digest }) };
      return answer(await uploadSegment(deps, stream, segment));
    },
  );

/** A whole file: as the body if it is small, else announced by its size. */
async function uploadFile(deps: Deps, event: HttpEvent, stream: Versioned<Stream>) {
  const name = checkedFileName(parameter(event, 'name') ?? 'file');
  const size = sizeOf(event);
  const bytes = bodyBytes(event);
  const { type, answer: body } =
    bytes.byteLength > 0
      ? await takeWholeFile(deps, stream, { name, bytes })
      : await requestFileUpload(deps, stream, { name, sizeBytes: size ?? 0 });
  return json(FILE_STATUS[type], body);
}

const FILE_STATUS = { missing: 202, completed: 201, known: 200 } as const;
