/** Uploads of languages on their own: the track that they belong to, and what of their segments is taken. */

import { DomainError } from '../../domain/errors.ts';
import {
  type LanguageTrack,
  MAX_LANGUAGE_TRACKS,
  withTrack,
} from '../../domain/languages/language-track.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Inspection } from '../../media/inspect.ts';
import { ensureStream, getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import type { Versioned } from '../records/record-types.ts';

/** The stream as the owner of the track's records; knows the track from then on. Throws `bad_request`. */
export async function openLanguage(
  deps: Deps,
  given: Versioned<Stream>,
  track: LanguageTrack,
): Promise<Versioned<Stream>> {
  let stream = await ensureStream(deps, given);
  for (;;) {
    const { value, version } = stream;
    const { languages = [] } = value;
    if (languages.some(({ name }) => name === track.name)) {
      return { version, value: withTrack(value, track.name) };
    }
    if (languages.length >= MAX_LANGUAGE_TRACKS) {
      throw new DomainError(
        'bad_request',
        `Stream "${value.videoId}" has ${languages.length} languages of their own already: ${languages.map(({ language }) => language).join(', ')}.`,
        'Send one of these, or further languages as audio tracks of the segments.',
      );
    }
    const changed = { ...value, languages: [...languages, track] };
    if (await deps.records.updateStream(changed, version)) {
      return { version: version + 1, value: withTrack(changed, track.name) };
    }
    stream = await getStream(deps, value.videoId);
  }
}

/** What is in a segment of the stream, or of its track. Throws what `inspectSegment` throws. */
export async function inspectUpload(
  { inspection }: Pick<Deps, 'inspection'>,
  { videoId, track }: Stream,
  bytes: Uint8Array,
  init: Uint8Array | undefined,
): Promise<Inspection> {
  const found = await inspection.run('inspectSegment', videoId, [bytes, init]);
  return track === undefined ? found : soundAlone(found);
}

/** Throws `unsupported_media`. */
function soundAlone({ facts, preroll }: Inspection): Inspection {
  const [track, ...others] = facts.audio;
  if (facts.video || !track) {
    throw new DomainError(
      'unsupported_media',
      `This segment has ${facts.video ? 'a picture' : 'no sound'}; kind=audio takes sound alone.`,
      'Send the sound without the picture (ffmpeg -vn), or leave kind and lang out.',
    );
  }
  if (others.length === 0) return { facts, preroll };
  const left: Notice = {
    code: 'track_ignored',
    message: `The segment has ${facts.audio.length} audio tracks; the first is taken, as a language has one.`,
  };
  return {
    facts: { ...facts, audio: [track], notices: [...(facts.notices ?? []), left] },
    preroll: preroll.filter(({ track: index }) => index === 0),
  };
}
