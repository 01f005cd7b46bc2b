/** Common to all calls of an encoder: the stream that its key opens, and file names. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseLanguage, parseVideoId } from '../../lib/domain/ids.ts';
import { type LanguageTrack, languageTrack } from '../../lib/domain/languages/language-track.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { openForUpload, requireKey } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { openLanguage } from '../../lib/pipeline/ingest/language-uploads.ts';
import type { Versioned } from '../../lib/pipeline/records/record-types.ts';
import { type HttpEvent, parameter } from '../runtime/middleware.ts';
import { keyOf } from '../runtime/request-key.ts';

/**
 * Comes before any other check: a client without a key learns nothing, and is asked for one. `others`: kinds
 * that are taken beside media and sound alone.
 */
export async function openStream(
  deps: Deps,
  event: HttpEvent,
  others: readonly string[] = [],
): Promise<Versioned<Stream>> {
  const key = requireKey(keyOf(event));
  const stream = await openForUpload(deps, parseVideoId(event.pathParameters?.videoId), key);
  const kind = parameter(event, 'kind') ?? 'media';
  if (kind === 'media' || others.includes(kind)) return stream;
  if (kind === 'audio') return openLanguage(deps, stream, trackOf(event));
  throw new DomainError(
    'unsupported_media',
    `Uploads of kind "${kind.slice(0, MAX_NAME_BYTES)}" are not taken.`,
    'Send audio and video together in one segment and leave kind out; sound alone is kind=audio, captions kind=captions, a whole file kind=file.',
  );
}

function trackOf(event: HttpEvent): LanguageTrack {
  const language = parseLanguage(parameter(event, 'lang'));
  if (language !== undefined) {
    return languageTrack(language, parameter(event, 'description') === 'true');
  }
  throw new DomainError(
    'bad_request',
    'Sound without a picture is the sound of a language, and lang is missing.',
    'Send its BCP 47 tag as ?lang=fr, and description=true for an audio description.',
  );
}

/** With its folders, which tell variants apart. Throws `bad_name`. */
export const fileName = (event: HttpEvent): string =>
  checkedFileName(event.pathParameters?.name ?? '');

/** Of a parameter. Throws `bad_name`. */
export const optionalFileName = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : checkedFileName(name);

const MAX_NAME_BYTES = 255;

/** Control characters, and those that turn the order of the text in messages and logs. */
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** A variant, a date, a quality: numbers and words. A single letter is what remains of a path. */
const FOLDER = /^(?:\d|..+)$/u;

/** Throws `bad_name`. */
export function checkedFileName(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.join('/');
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    throw badName(
      name,
      `has ${bytes} bytes`,
      `Use at most ${MAX_NAME_BYTES} bytes, folders included.`,
    );
  }
  if (bytes === 0)
    throw badName(path, 'names no file', 'Put the name behind the stream: live.m3u8.');
  if (UNSAFE.test(name)) {
    throw badName(name, 'holds control characters', 'Use letters, digits, ".", "_" and "-".');
  }
  if (parts.some((part) => part.startsWith('.'))) {
    throw badName(name, 'has a part that begins with "."', 'Leave out "..", "." and hidden files.');
  }
  if (parts.slice(0, -1).some((folder) => !FOLDER.test(folder))) {
    throw badName(
      name,
      'has a folder of one letter',
      'Name folders by a number or a word: v0, hd.',
    );
  }
  return name;
}

const badName = (name: string, complaint: string, hint: string): DomainError =>
  new DomainError('bad_name', `"${name.slice(0, MAX_NAME_BYTES)}" ${complaint}.`, hint);
