/** Captions: cues on a stream's timeline, in tracks of one language and role each. Pure. */

import { DomainError } from '../errors.ts';
import { TICKS_PER_SECOND } from '../ticks.ts';

/**
 * What times of cues are counted from: the start of the stream, 1970 by its wall clock
 * (EXT-X-PROGRAM-DATE-TIME), or zero of the timeline's clock in a run of the encoder.
 */
export type CueClock = 'start' | 'wall' | `run ${number}`;

/** `from` up to `to`, in ticks of 90 kHz; a whole number each. */
export type Cue = Readonly<{
  from: number;
  to: number;
  /** WebVTT cue text: lines, none of them empty. */
  text: string;
  /** WebVTT cue settings: `line:0 align:start`. */
  settings?: string;
  /** The author's, which STYLE blocks may name. */
  id?: string;
}>;

/** Cues that were sent together, and are replaced or removed together. */
export type CueSet = Readonly<{
  clock: CueClock;
  /** STYLE and REGION blocks as WebVTT has them. */
  header?: string;
  cues: readonly Cue[];
}>;

/** What all cues of a track have in common. */
export type CaptionTrack = Readonly<{
  /** BCP 47; `und` when it is not known. */
  language: string;
  /** For people; left out: the language's own name. */
  label?: string;
  /** For viewers who hear the language, too: what is foreign to it. */
  isForced?: true;
  /** For viewers who do not hear: with music and sounds. */
  isSdh?: true;
  /** The channel of closed captions in the video that it is made of, as `CC1`; absent: it was uploaded. */
  channel?: string;
}>;

/** Captions of a stream, in its timeline's state. */
export type CaptionsState = Readonly<{
  /** The newest change that viewers are shown. */
  version: number;
  /** The one that the newest entry was listed with. */
  listedVersion: number;
  /** What all changes hold together (`weightOf`): what a process that prints them has to keep. */
  weight: number;
  /** How many of the changes are not stored any more: their cues have expired. */
  expiredChanges?: number;
  /** By name; `since`: the version that the track began with. */
  tracks: Readonly<Record<string, CaptionTrack & Readonly<{ since: number }>>>;
  /** Channels of closed captions in the video whose tracks were removed: they stay removed. */
  removedChannels?: readonly string[];
}>;

/** Of a recording the version that all of it is printed with; live the one that the track began with. */
export type CaptionVersions = Readonly<{ version: number } | { trackSince: number }>;

/** What the segment of captions of an entry is printed of (`CaptionSegmentName`). */
export function captionVersionsAt(
  {
    captionVersions: [before, own] = [0, 0],
  }: Readonly<{ captionVersions?: readonly [before: number, own: number] }>,
  of: CaptionVersions,
): Readonly<{ version: number; since: number }> {
  if ('version' in of) return { version: of.version, since: of.version };
  return { since: Math.max(of.trackSince, before), version: Math.max(of.trackSince, own) };
}

export const NO_CAPTIONS: CaptionsState = {
  version: 0,
  listedVersion: 0,
  weight: 0,
  tracks: {},
};

/** A cue that lasts longer is a mistake of hours and minutes. */
export const MAX_CUE_TICKS = 3600 * TICKS_PER_SECOND;

const MINUTE_TICKS = 60 * TICKS_PER_SECOND;

/** Cues, and one more for each minute that one lasts: an index by minutes holds so many references. */
export const weightOf = ({ cues }: Pick<CueSet, 'cues'>): number =>
  cues.reduce((sum, { from, to }) => sum + 1 + Math.floor((to - from) / MINUTE_TICKS), 0);

/** Playlists are named by it, and take 32 characters. */
const MAX_LANGUAGE_CHARACTERS = 16;

/**
 * Name of the track of a language and role: a stream has one of each. Throws `bad_request` for a
 * language that is too long for a name.
 */
export function captionTrackName({
  language,
  isForced,
  isSdh,
}: Pick<CaptionTrack, 'language' | 'isForced' | 'isSdh'>): string {
  if (language.length > MAX_LANGUAGE_CHARACTERS) {
    throw new DomainError(
      'bad_request',
      `The language "${language}" has ${language.length} characters; ${MAX_LANGUAGE_CHARACTERS} are the most.`,
      'Leave out what the captions do not need: lang=de, lang=zh-Hant.',
    );
  }
  const role = isForced ? '-forced' : isSdh ? '-sdh' : '';
  return `captions-${language.toLowerCase()}${role}`;
}

/** Of closed captions in the video. */
export const channelTrackName = (channel: string): string => `captions-${channel.toLowerCase()}`;

export const trackNotFound = (
  videoId: string,
  track: string,
  known: readonly string[],
): DomainError =>
  new DomainError(
    'captions_not_found',
    `Stream "${videoId}" has no captions "${track}".`,
    known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.',
  );
