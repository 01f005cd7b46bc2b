/**
 * Which span of the timeline a segment's piece of an audio rendition covers. The rendition covers the
 * whole timeline, whether the source sounds or not: what is missing becomes silence, and each missing
 * span belongs to exactly one piece. A job knows its own segment and the one before, and neighbours run
 * in any order, so the span follows from the facts of these two. Pure.
 */

import type { AudioFacts, SegmentFacts } from '../../domain/segment.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { AAC_FRAME_SAMPLES } from '../demux/audio-frames.ts';
import { type AudioAnchor, encodedUpTo, samplesAt, ticksOfSamples } from './frame-alignment.ts';
import { isCopied } from './rendition-format.ts';

/** A segment as one audio track of its run sees it. */
export type TrackedSegment = Readonly<{
  facts: Pick<SegmentFacts, 'startTicks' | 'endTicks'>;
  /** Container's times → timeline. */
  timestampOffsetTicks: number;
  /** undefined: the segment has no packet of the track. */
  track?: AudioFacts | undefined;
}>;

/** Timeline ticks, not rounded: of whole frames counted from the anchor, where the segment has the track. */
export type Coverage = Readonly<{ startTicks: number; endTicks: number }>;

/** Fewer missing frames are what muxers and rounded timestamps leave. */
export const MIN_SILENT_FRAMES = 2;

/**
 * Sound may end so long before its segment and come with the next one: muxers hold it back, ffmpeg's
 * for MPEG-TS by up to 0.7 s.
 */
const MAX_MUXER_LAG_TICKS = TICKS_PER_SECOND;

/** Sound further outside of its segment is on another clock; it is left out. */
const MAX_DISTANCE_TICKS = 10 * TICKS_PER_SECOND;

/** A larger step between two segments is a discontinuity for players: nothing is missing there. */
const MAX_TIME_JUMP_TICKS = TICKS_PER_SECOND / 2;

/** What a boundary that was rounded to ticks may be off, in frames. */
const ROUNDING_FRAMES = 0.01;

/**
 * The span of a segment's piece. In front it reaches back to the end of the piece before; to the
 * segment's start, when that piece is unknown (`previous` undefined), silent as a whole, or lies before
 * a discontinuity. Behind the last packet it goes on only when more is missing than muxers hold back;
 * less is left to the next piece. Packets outside of the span are not shown.
 *
 * Of a segment without the track: the span that `silentPiece` covers, up to the segment's end; when the
 * publisher knows the next segment's start, that is better.
 */
export function coverAudio(
  segment: TrackedSegment,
  previous: TrackedSegment | undefined,
  anchor: AudioAnchor,
): Coverage {
  const own = place(segment);
  const before = previous && place(previous);
  const follows =
    before !== undefined && Math.abs(own.startTicks - before.endTicks) <= MAX_TIME_JUMP_TICKS;
  const beforeTicks = before?.sound && pieceEnd(before, before.sound, anchor);
  const { sound } = own;
  if (!sound) {
    const startTicks = follows ? (beforeTicks ?? own.startTicks) : own.startTicks;
    return { startTicks, endTicks: own.endTicks };
  }
  const { track } = sound;
  const frameTicks = frameTicksOf(track, anchor);
  const onGrid = (ticks: number, round: (frames: number) => number): number =>
    anchor.startTicks + round((ticks - anchor.startTicks) / frameTicks) * frameTicks;
  const up = (frames: number): number => Math.ceil(frames - ROUNDING_FRAMES);
  const first = cutAt(sound.startTicks, track, anchor);
  const isMissing = (fromTicks: number): boolean =>
    Math.round((sound.startTicks - fromTicks) / frameTicks) >= MIN_SILENT_FRAMES;
  const joins =
    beforeTicks !== undefined &&
    (follows || Math.abs(first - beforeTicks) < MIN_SILENT_FRAMES * frameTicks);
  const segmentStart = onGrid(own.startTicks, Math.round);
  const from = joins
    ? onGrid(beforeTicks, up)
    : follows || isMissing(segmentStart)
      ? segmentStart
      : first;
  // Behind a known piece even one missing frame is silent: what it leaves is counted to the sample.
  const keepsLag = isCopied(track, anchor) && !joins && first > from && !isMissing(from);
  const startTicks = keepsLag ? first : from;
  const endTicks = Math.max(pieceEnd(own, sound, anchor), startTicks + frameTicks);
  return { startTicks, endTicks };
}

type Span = Readonly<{ startTicks: number; endTicks: number }>;
type Sound = Span & Readonly<{ track: AudioFacts }>;
type Placed = Span & Readonly<{ sound?: Sound }>;

/** On the timeline. */
function place({ facts, timestampOffsetTicks, track }: TrackedSegment): Placed {
  const startTicks = facts.startTicks + timestampOffsetTicks;
  const endTicks = facts.endTicks + timestampOffsetTicks;
  if (!track) return { startTicks, endTicks };
  const sound = {
    track,
    startTicks: Math.max(track.startTicks + timestampOffsetTicks, startTicks - MAX_DISTANCE_TICKS),
    endTicks: Math.min(track.endTicks + timestampOffsetTicks, endTicks + MAX_DISTANCE_TICKS),
  };
  return { startTicks, endTicks, ...(sound.endTicks > sound.startTicks && { sound }) };
}

/**
 * Sound that leads its segment's start ends as long before its end, so silence does not take the place
 * of what the next segment brings.
 */
function pieceEnd(
  segment: Span,
  { track, startTicks, endTicks }: Sound,
  anchor: AudioAnchor,
): number {
  const dueTicks = segment.endTicks - Math.max(0, segment.startTicks - startTicks);
  // Sound that is over before its segment begins may lie behind a silent piece, which reaches up to there.
  const isOver =
    dueTicks - endTicks > MAX_MUXER_LAG_TICKS ||
    (endTicks <= segment.startTicks && dueTicks > endTicks);
  return cutAt(isOver ? dueTicks : endTicks, track, anchor);
}

/** Where pieces meet when one's packets end and the other's begin at `ticks`. */
function cutAt(ticks: number, track: AudioFacts, anchor: AudioAnchor): number {
  const { startTicks, sampleRateHz: rate } = anchor;
  const { sampleRateHz, samplesPerPacket } = track;
  const packets = Math.round(samplesAt(ticks - startTicks, sampleRateHz) / samplesPerPacket);
  const sample = packets * samplesPerPacket;
  if (isCopied(track, anchor)) return startTicks + ticksOfSamples(sample, sampleRateHz);
  return startTicks + ticksOfSamples(encodedUpTo((sample * rate) / sampleRateHz), rate);
}

/** Of the rendition. */
const frameTicksOf = (track: AudioFacts, anchor: AudioAnchor): number =>
  isCopied(track, anchor)
    ? ticksOfSamples(track.samplesPerPacket, track.sampleRateHz)
    : ticksOfSamples(AAC_FRAME_SAMPLES, anchor.sampleRateHz);
