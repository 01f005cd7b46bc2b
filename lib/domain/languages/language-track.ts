/** Languages that are uploaded on their own: source tracks beside the stream's segments. Pure. */

import { DomainError } from '../errors.ts';
import type { StreamIdentity } from '../object-keys.ts';
import { normalLanguage, UNDETERMINED } from './language.ts';

/** Its runs, segments and objects lie within those of its stream, under its name. */
export type LanguageTrack = Readonly<{
  /** Of the track and of its rendition: `audio-fr`. */
  name: string;
  /** BCP 47. */
  language: string;
  /** Audio description: it tells what the picture shows. */
  describesVideo?: true;
}>;

/** Players load the list of them, and publishing looks after each. */
export const MAX_LANGUAGE_TRACKS = 16;

/** The address of its playlist has room for so much. */
const MAX_TAG_CHARACTERS = 16;

/** `language`: as the uploader says it. Throws `bad_request`. */
export function languageTrack(language: string, describesVideo: boolean): LanguageTrack {
  const tag = normalLanguage(language);
  if (tag === UNDETERMINED || tag.length > MAX_TAG_CHARACTERS) {
    throw new DomainError(
      'bad_request',
      `"${language}" names no language of a track.`,
      `Use a BCP 47 tag of at most ${MAX_TAG_CHARACTERS} characters: fr, pt-BR.`,
    );
  }
  const name = `audio-${tag.toLowerCase()}${describesVideo ? '-described' : ''}`;
  return { name, language: tag, ...(describesVideo && { describesVideo: true }) };
}

/** The stream as the owner of the track's records and objects. */
export const withTrack = <Of extends StreamIdentity>(stream: Of, track: string | undefined): Of =>
  track === undefined ? stream : { ...stream, track };
