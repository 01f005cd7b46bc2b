/** `/upload/…`: the encoder's side. */

import { z } from 'zod';
import { DomainError } from '../../lib/domain/errors.ts';
import {
  parseDigest,
  parseSegmentNumber,
  parseSession,
  parseVideoId,
} from '../../lib/domain/ids.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { credentialOf, openForUpload } from '../../lib/pipeline/access.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { requestEnd } from '../../lib/pipeline/end.ts';
import { grantUpload } from '../../lib/pipeline/grant.ts';
import { pushFile, storeInit } from '../../lib/pipeline/push.ts';
import type { Versioned } from '../../lib/pipeline/records.ts';
import { type UploadResult, uploadSegment } from '../../lib/pipeline/upload.ts';
import { apiHandler, bodyBytes, type HttpEvent, json, parameter } from '../middleware.ts';

const seconds = z.coerce.number().positive().max(3600);
const sizeBytes = z.coerce.number().int().nonnegative();

/** Opening comes before any other check: who has no key learns nothing, and is asked for it. */
async function open(deps: Deps, event: HttpEvent): Promise<Versioned<Stream>> {
  const videoId = parseVideoId(event.pathParameters?.videoId);
  return openForUpload(deps, videoId, credentialOf(event.headers.authorization));
}

const answer = ({ receipt, isNew }: UploadResult) => json(isNew ? 201 : 200, receipt);

function numeric(schema: z.ZodType<number>, event: HttpEvent, name: string): number | undefined {
  const text = parameter(event, name);
  if (text === undefined) return undefined;
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  throw new DomainError(
    'bad_request',
    `"${text}" is no ${name}.`,
    name === 'size' ? 'Send the size in bytes.' : 'Send the duration in seconds, as in 4.004.',
  );
}

export const uploadHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const stream = await open(deps, event);
    requireMediaKind(parameter(event, 'kind'));
    const session = parseSession(parameter(event, 'session'));
    const digest = parseDigest(parameter(event, 'digest'));
    const durationSeconds = numeric(seconds, event, 'duration');
    const size = numeric(sizeBytes, event, 'size');
    const bytes = bodyBytes(event);
    if (parameter(event, 'segment') === 'init') {
      await storeInit(deps, stream.value, bytes, session);
      return { statusCode: 204 };
    }
    const common = {
      number: parseSegmentNumber(parameter(event, 'segment')),
      ...(session === undefined ? {} : { session }),
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
    };
    if (size !== undefined && bytes.byteLength === 0) {
      if (digest === undefined) {
        throw new DomainError(
          'bad_request',
          'A segment that is announced by its size needs its digest.',
          'Send ?digest= with the sha-256 of the bytes in hexadecimal.',
        );
      }
      const pushed = parameter(event, 'name') !== undefined;
      const granted = await grantUpload(deps, stream, {
        ...common,
        digest,
        sizeBytes: size,
        pushed,
      });
      return 'receipt' in granted ? answer(granted) : json(202, granted);
    }
    if (size !== undefined && size !== bytes.byteLength) {
      throw new DomainError(
        'size_mismatch',
        `${bytes.byteLength} bytes came, ${size} were announced.`,
        'Send the whole segment as the body, or no body at all to be granted an upload.',
      );
    }
    const result = await uploadSegment(deps, stream, {
      ...common,
      bytes,
      pushed: false,
      ...(digest === undefined ? {} : { digest }),
    });
    return answer(result);
  });

function requireMediaKind(kind: string | undefined): void {
  if (kind === undefined || kind === 'media') return;
  throw new DomainError(
    'unsupported_media',
    `Segments of kind "${kind}" are not taken.`,
    'Send audio and video together in one segment, or leave kind out.',
  );
}

export const pushHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const stream = await open(deps, event);
    const name = fileName(event);
    const session = parseSession(parameter(event, 'session'));
    const digest = parseDigest(parameter(event, 'digest'));
    const result = await pushFile(deps, stream, {
      name,
      bytes: bodyBytes(event),
      ...(session === undefined ? {} : { session }),
      ...(digest === undefined ? {} : { digest }),
    });
    return result ? answer(result) : { statusCode: 204 };
  });

/** Encoders tidy up what their sliding playlist has left; the media stays for those who rewind. */
export const pushDeleteHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    await open(deps, event);
    fileName(event);
    return { statusCode: 204 };
  });

function fileName(event: HttpEvent): string {
  const name = event.pathParameters?.name ?? '';
  if (/^[\w][\w.~@+=-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new DomainError(
    'bad_name',
    `"${name}" is no file name that can be taken.`,
    'Use letters, digits, ".", "_" and "-"; no folders.',
  );
}

export const endStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const { value: stream } = await open(deps, event);
    return json(200, await requestEnd(deps, stream, 'call'));
  });
