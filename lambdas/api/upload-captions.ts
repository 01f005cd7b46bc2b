/** `POST /upload/{videoId}?kind=captions`: files, pieces of an encoder, and cues as JSON. */

import { cuesSchema } from '../../lib/api/captions.ts';
import type { CaptionsReceipt } from '../../lib/api/messages.ts';
import { defined } from '../../lib/base/defined.ts';
import type { CaptionTrack } from '../../lib/domain/captions/caption.ts';
import { DomainError } from '../../lib/domain/errors.ts';
import { parseLanguage, parseSegmentNumber, parseSession } from '../../lib/domain/ids.ts';
import { normalLanguage, UNDETERMINED } from '../../lib/domain/languages/language.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { getStream } from '../../lib/pipeline/auth.ts';
import { putCaptionFile, putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type { Versioned } from '../../lib/pipeline/records/record-types.ts';
import {
  bodyBytes,
  type HttpEvent,
  type HttpResult,
  json,
  parameter,
} from '../runtime/middleware.ts';
import { parseBody } from '../runtime/request-body.ts';
import { instantOf } from './upload-instant.ts';

const MAX_LABEL_CHARACTERS = 100;

/** 201 when anything is new or changed, 200 when all was there. */
export async function uploadCaptions(
  deps: Deps,
  event: HttpEvent,
  { value, version }: Versioned<Stream>,
): Promise<HttpResult> {
  // Captions do not create a stream: an id with a typing error would.
  const stream = version > 0 ? value : (await getStream(deps, value.videoId)).value;
  const track = trackOf(event);
  const bytes = bodyBytes(event);
  const put = isJson(bytes)
    ? await putCues(deps, stream, track, cuesOf(event))
    : await putCaptionFile(deps, stream, track, {
        ...{ bytes, set: setOf(event) },
        ...defined({ atMs: instantOf(event), session: parseSession(parameter(event, 'session')) }),
      });
  const { isNew, track: name, cues } = put;
  const receipt: CaptionsReceipt = { stored: true, videoId: stream.videoId, track: name, cues };
  return json(isNew ? 201 : 200, receipt);
}

function trackOf(event: HttpEvent): CaptionTrack {
  const language = normalLanguage(parseLanguage(parameter(event, 'lang')));
  if (language === UNDETERMINED) {
    throw new DomainError(
      'bad_request',
      'Captions have a language, and lang is missing.',
      'Send its BCP 47 tag, as in ?kind=captions&lang=de.',
    );
  }
  const [isForced, isSdh] = [isSet(event, 'forced'), isSet(event, 'sdh')];
  if (isForced && isSdh) {
    throw new DomainError(
      'bad_request',
      'Captions are forced or SDH, not both.',
      'Forced ones translate what is foreign, for everybody; SDH tell who does not hear all that sounds.',
    );
  }
  const label = parameter(event, 'name')?.replace(/\s+/g, ' ').trim();
  if (
    label !== undefined &&
    (label.length > MAX_LABEL_CHARACTERS || !/[^\p{C}\p{Z}]/u.test(label))
  ) {
    throw new DomainError(
      'bad_request',
      `The name has ${label.length} characters.`,
      `Send 1 to ${MAX_LABEL_CHARACTERS}, or leave it out: then the language's own name is shown.`,
    );
  }
  return {
    language,
    ...(label !== undefined && { label }),
    ...(isForced && { isForced }),
    ...(isSdh && { isSdh }),
  };
}

const isSet = (event: HttpEvent, name: string): true | undefined => {
  const text = parameter(event, name);
  if (text === '1' || text === 'true') return true;
  if (text === undefined || text === '0' || text === 'false') return undefined;
  throw new DomainError(
    'bad_request',
    `"${text}" is no ${name}.`,
    `Send ${name}=1, or leave it out.`,
  );
};

const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What the upload takes the place of when it is sent again. */
function setOf(event: HttpEvent): string {
  const segment = parameter(event, 'segment');
  if (segment !== undefined) {
    const session = parseSession(parameter(event, 'session')) ?? '';
    return `segment/${session}/${parseSegmentNumber(segment)}`;
  }
  const file = parameter(event, 'file') ?? 'captions';
  if (FILE.test(file)) return `file/${file}`;
  throw new DomainError(
    'bad_name',
    `"${file.slice(0, 100)}" cannot name a file of captions.`,
    'Use 1 to 64 letters, digits, ".", "_" or "-".',
  );
}

/** WebVTT begins with its name, SubRip with a number. */
const isJson = (bytes: Uint8Array): boolean =>
  /^\s*[[{]/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));

function cuesOf(event: HttpEvent) {
  const body = parseBody(cuesSchema, event);
  if (Array.isArray(body)) return body;
  return 'cues' in body ? body.cues : [body];
}
