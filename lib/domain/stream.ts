/** A stream: what its owner set, and its encoder runs. */

import { DEFAULT_LADDER, type Rung, type SourcePicture } from './ladder.ts';
import type { AudioCodec } from './media-format.ts';
import { TICKS_PER_SECOND } from './ticks.ts';

export type StreamSettings = Readonly<{
  title: string;
  /** Absent until the owner sets it or the first segment shows it; then it never changes. */
  targetDurationSeconds?: number;
  /** null: viewers can go back to the start. */
  dvrWindowSeconds: number | null;
  /** null: the stream never ends by itself. */
  idleTimeoutSeconds: number | null;
  /** Absent: two target durations, four seconds at least. */
  holeGraceSeconds?: number;
  ladder: readonly Rung[];
  redundant: boolean;
}>;

export const defaultSettings = (videoId: string): StreamSettings => ({
  title: videoId,
  // Long enough to answer "what did I just miss", short enough that a live playlist stays small.
  dvrWindowSeconds: 2 * 60 * 60,
  idleTimeoutSeconds: 60,
  ladder: DEFAULT_LADDER,
  redundant: false,
});

export type Stream = Readonly<{
  videoId: string;
  /** Differs from that of a deleted stream with the same id. */
  uid: string;
  settings: StreamSettings;
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

export const targetDurationSeconds = (settings: StreamSettings): number =>
  settings.targetDurationSeconds ?? 6;

/** How long publishing waits for a missing segment after a later one is ready. */
export const holeGraceMs = (settings: StreamSettings): number =>
  1000 *
  (settings.holeGraceSeconds ??
    Math.max(MIN_HOLE_GRACE_SECONDS, 2 * targetDurationSeconds(settings)));

/**
 * How far back live viewers can go; null: to the start. A live playlist holds three target durations
 * at least (RFC 8216bis, 6.2.2).
 */
export const dvrWindowTicks = (settings: StreamSettings): number | null =>
  settings.dvrWindowSeconds === null
    ? null
    : TICKS_PER_SECOND * Math.max(settings.dvrWindowSeconds, 3 * targetDurationSeconds(settings));

/**
 * The target duration of a stream whose owner set none, from its first segment. Encoders that cut at
 * keyframes vary, and the value can never be raised, so there is half as much again to spare.
 */
export const targetFromFirstSegment = (durationSeconds: number): number =>
  Math.max(2, Math.ceil(durationSeconds * 1.5));

/** EXTINF, rounded to the nearest second, must not exceed the target (RFC 8216bis, 4.4.3.1). */
export const fitsTarget = (durationSeconds: number, targetSeconds: number): boolean =>
  Math.round(durationSeconds) <= targetSeconds;
