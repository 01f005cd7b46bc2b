/** A stream: what its owner set, and its encoder runs. */

import { DEFAULT_LADDER, type Rung, type SourcePicture } from './ladder.ts';
import type { LanguageTrack } from './languages/language-track.ts';
import { type RegionDefaults, regionDefault } from './languages/region-default.ts';
import type { AudioCodec } from './media-format.ts';
import type { RetentionSettings } from './retention/retention.ts';
import { TICKS_PER_SECOND } from './ticks.ts';

/** In `defaultCaptions`, in the place of a language. */
export const NO_CAPTIONS_SHOWN = 'off';

export type StreamSettings = Readonly<{
  title: string;
  /** Absent unless the owner sets it. That of the playlists is fixed with their first entries. */
  targetDurationSeconds?: number;
  /** null: viewers can go back to the start. */
  dvrWindowSeconds: number | null;
  /** null: the stream never ends by itself. */
  idleTimeoutSeconds: number | null;
  /** Absent: two target durations, four seconds at least. */
  holeGraceSeconds?: number;
  ladder: readonly Rung[];
  redundant: boolean;
  /** Captions that viewers are shown without choosing any: their languages by region, or `off`. Absent: none. */
  defaultCaptions?: RegionDefaults;
  /** When segments are made as WebM: when asked for (also if it is absent), with the renditions, or not at all. */
  webm?: 'onDemand' | 'always' | 'never';
  /** Shown in the list to everybody; absent in settings from before it existed: not. */
  listed?: boolean;
  /** Language of the audio that is played by default, by the viewer's country. Absent: the stream's first. */
  defaultAudio?: RegionDefaults;
  /** null, and absent in settings from before it existed: recordings are kept for ever. */
  retention?: RetentionSettings | null;
}>;

export const defaultSettings = (videoId: string): StreamSettings => ({
  title: videoId,
  // Long enough to answer "what did I just miss", short enough that a live playlist stays small.
  dvrWindowSeconds: 2 * 60 * 60,
  idleTimeoutSeconds: 60,
  ladder: DEFAULT_LADDER,
  redundant: false,
  listed: false,
  retention: null,
});

export type Stream = Readonly<{
  videoId: string;
  /** Differs from that of a deleted stream with the same id. */
  uid: string;
  /** Of a language that is uploaded on its own: whose records and objects these are (`withTrack`). */
  track?: string;
  settings: StreamSettings;
  /** Languages that are uploaded on their own, in the order of their coming. */
  languages?: readonly LanguageTrack[];
  /** sha-256 of the upload key; absent for a stream that an upload with the owner's key created. */
  uploadKeyHash?: string;
  createdAtMs: number;
}>;

/** One run of one encoder: numbers that grow, times that go on. */
export type Run = Readonly<{
  /** 1, 2, 3 … in order of appearance. */
  run: number;
  session: string;
  /** Whether the encoder named the session itself. */
  explicit: boolean;
  /** Number of the segment that came first. */
  firstNumber: number;
  createdAtMs: number;
  /** Wall clock of a moment of the timeline: what PROGRAM-DATE-TIME is counted from. */
  anchorTicks: number;
  anchorMs: number;
  /** Of the segment that came first; every segment of the run is fitted into rungs planned for it. */
  picture?: SourcePicture;
  /** One per audio track: where its grid of samples begins, in timeline ticks. */
  audio: readonly Readonly<{
    /** The container's name of the track; absent in runs that began before it was recorded. */
    trackId?: number;
    codec: AudioCodec;
    sampleRateHz: number;
    channels: number;
    language: string;
    startTicks: number;
  }>[];
}>;

const MIN_HOLE_GRACE_SECONDS = 4;

/** Before the first segments have shown theirs. */
export const DEFAULT_TARGET_SECONDS = 6;

/** EXT-X-TARGETDURATION of the stream's playlists: fixed with the first entries, else as set. */
export const targetDurationSeconds = (
  settings: StreamSettings,
  fixed: Readonly<{ targetDurationSeconds?: number }>,
): number =>
  fixed.targetDurationSeconds ?? settings.targetDurationSeconds ?? DEFAULT_TARGET_SECONDS;

/** The language of the captions that a viewer in a country (undefined: unknown) is shown; undefined: none. */
export function captionDefault(
  { defaultCaptions }: Pick<StreamSettings, 'defaultCaptions'>,
  country: string | undefined,
): string | undefined {
  const language = regionDefault(defaultCaptions, country);
  return language === NO_CAPTIONS_SHOWN ? undefined : language;
}

/** How long publishing waits for a missing segment after a later one is ready. */
export const holeGraceMs = (settings: StreamSettings, targetSeconds: number): number =>
  1000 * (settings.holeGraceSeconds ?? Math.max(MIN_HOLE_GRACE_SECONDS, 2 * targetSeconds));

/**
 * How far back live viewers can go; null: to the start. A live playlist holds three target durations
 * at least (RFC 8216bis, 6.2.2).
 */
export const dvrWindowTicks = (settings: StreamSettings, targetSeconds: number): number | null =>
  settings.dvrWindowSeconds === null
    ? null
    : TICKS_PER_SECOND * Math.max(settings.dvrWindowSeconds, 3 * targetSeconds);

/** A stream whose owner sets no target duration has none above it: longer segments are cut. */
const MAX_CHOSEN_TARGET_SECONDS = 10;

/**
 * The target duration of a stream whose owner set none: what the encoder's playlist says, or the longest
 * of the segments that are known when the first is listed.
 */
export function chooseTarget(longestSeconds: number, saidSeconds = 0): number {
  const longest = Math.max(saidSeconds, Math.round(longestSeconds));
  return Math.min(MAX_CHOSEN_TARGET_SECONDS, Math.max(1, longest));
}

/** EXTINF, rounded to the nearest second, must not exceed the target (RFC 8216bis, 4.4.3.1). */
export const fitsTarget = (durationSeconds: number, targetSeconds: number): boolean =>
  Math.round(durationSeconds) <= targetSeconds;

/** Into how many pieces a segment is cut: each lasts a target duration at most. */
export const piecesOfSegment = (
  durationSeconds: number,
  targetSeconds = MAX_CHOSEN_TARGET_SECONDS,
): number =>
  fitsTarget(durationSeconds, targetSeconds) ? 1 : Math.ceil(durationSeconds / targetSeconds);
