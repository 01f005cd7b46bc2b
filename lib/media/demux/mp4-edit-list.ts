/**
 * Edit lists: which samples of a track are shown, and when (ISO/IEC 14496-12, 8.6.6). What an edit list
 * cuts off is not shown; what decoders need of it is kept as hidden.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { BoxFields, childAt, type Mp4Box, undecodable } from './mp4-boxes.ts';
import type { Mp4Sample } from './mp4-samples.ts';

export type Edit = Readonly<{
  /** In the movie's time scale. */
  duration: number;
  /** In the track's time scale; -1: nothing is shown. */
  mediaTime: number;
  /** One picture stands still. */
  isDwell: boolean;
}>;

export type PlacedSample = Mp4Sample &
  Readonly<{
    /** Of the presentation, 90 kHz. */
    ticks: number;
    isHidden: boolean;
  }>;

export type EditedTrack = Readonly<{
  kind: 'video' | 'audio';
  timescale: number;
  movieTimescale: number;
  /** Edit lists of fragments shift times, and cut off what comes before; how long they last is unknown. */
  isFragmented: boolean;
  edits: readonly Edit[];
  /** In decode order. */
  samples: readonly Mp4Sample[];
}>;

const MAX_EDITS = 64;

/** Empty when the track has none. Throws DomainError `undecodable`. */
export function readEditList(bytes: Uint8Array, trak: Mp4Box): Edit[] {
  const box = childAt(trak, 'edts', 'elst');
  if (!box) return [];
  const fields = new BoxFields(bytes, box);
  const isLong = fields.versionAndFlags().version === 1;
  const count = fields.entryCount(isLong ? 20 : 12);
  if (count > MAX_EDITS) {
    throw undecodable(
      `An edit list has ${count} entries; a segment has ${MAX_EDITS} at most.`,
      'Export the edited video anew, so that its edits are applied, and send that.',
    );
  }
  return Array.from({ length: count }, () => {
    const duration = isLong ? fields.u64() : fields.u32();
    const mediaTime = isLong ? fields.i64() : fields.i32();
    return { duration, mediaTime, isDwell: fields.u32() === 0 && mediaTime >= 0 };
  });
}

/** A part of the media that is shown in one piece; in the track's time scale. */
type Piece = Readonly<{
  start: number;
  end: number;
  /** Media time less presentation time. */
  offset: number;
  /** Of a tick of the movie's clock, which `end` is rounded to. */
  rounding: number;
}>;

/** The samples that are shown, in decode order, and hidden ones before and between them. */
export function applyEdits(track: EditedTrack): PlacedSample[] {
  const placed = piecesOf(track).flatMap((piece) => place(track, piece));
  // A list that was made for other fragments than these.
  if (placed.length === 0 && track.isFragmented && track.edits.length > 0) {
    return applyEdits({ ...track, edits: [] });
  }
  return placed;
}

function piecesOf({ edits, timescale, movieTimescale, isFragmented }: EditedTrack): Piece[] {
  const rounding = timescale / movieTimescale;
  const always = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, rounding };
  const pieces: Piece[] = [];
  let position = 0;
  for (const { duration, mediaTime, isDwell } of edits) {
    const shift = Math.round(position * rounding);
    position += duration;
    if (mediaTime < 0 || isDwell) continue;
    const lasts = isFragmented || duration === 0 ? Number.POSITIVE_INFINITY : duration * rounding;
    pieces.push({ start: mediaTime, end: mediaTime + lasts, offset: mediaTime - shift, rounding });
    if (isFragmented) return pieces;
  }
  return pieces.length > 0 ? pieces : [{ ...always, offset: -Math.round(position * rounding) }];
}

function place({ kind, timescale, samples }: EditedTrack, piece: Piece): PlacedSample[] {
  const { offset } = piece;
  const isShown = kind === 'video' ? showsFrame(piece) : playsPacket(piece);
  const shown = (sample: Mp4Sample): PlacedSample => {
    return { ...sample, ticks: toTicks(sample.presentation - offset, timescale), isHidden: false };
  };
  if (kind === 'audio') return samples.filter(isShown).map(shown);
  const first = samples.findIndex(isShown);
  const last = samples.findLastIndex(isShown);
  if (first < 0) return [];
  const entry = samples.findLastIndex(({ isSync }, index) => isSync && index <= first);
  const decoded = samples
    .slice(Math.max(0, entry), last + 1)
    .map((sample) => (isShown(sample) ? shown(sample) : { ...sample, ticks: 0, isHidden: true }));
  return hide(decoded, piece.start);
}

/** A frame that begins before the edit is not shown; nor is one that its end only touches by rounding. */
const showsFrame =
  ({ start, end, rounding }: Piece) =>
  ({ presentation, duration }: Mp4Sample): boolean =>
    presentation >= start && presentation + Math.min(rounding, duration / 2) <= end;

/** Packets cannot be cut: one is played when its middle is. */
const playsPacket =
  ({ start, end }: Piece) =>
  ({ presentation, duration }: Mp4Sample): boolean =>
    presentation + duration / 2 >= start && presentation + duration / 2 < end;

/**
 * Decoders give frames in order of presentation. Hidden ones are put right before the first that is
 * shown, or right behind the last, one tick apart, where no other frame is.
 */
function hide(samples: readonly PlacedSample[], start: number): PlacedSample[] {
  if (samples.every(({ isHidden }) => !isHidden)) return [...samples];
  const hidden = samples.filter(({ isHidden }) => isHidden);
  hidden.sort((a, b) => a.presentation - b.presentation);
  const lead = hidden.filter(({ presentation }) => presentation < start).length;
  let [firstTicks, lastTicks] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { ticks, isHidden } of samples) {
    if (isHidden) continue;
    firstTicks = Math.min(firstTicks, ticks);
    lastTicks = Math.max(lastTicks, ticks);
  }
  const rank = new Map(hidden.map((sample, index) => [sample, index]));
  return samples.map((sample) => {
    const index = rank.get(sample);
    if (index === undefined) return sample;
    const ticks = index < lead ? firstTicks - lead + index : lastTicks + 1 + index - lead;
    return { ...sample, ticks };
  });
}

/** Five hundred years: clocks that count from 1970 or 1904 lie below. */
const MAX_TICKS = 500 * 366 * 86_400 * TICKS_PER_SECOND;

/**
 * Halves are rounded up, whatever the noise of the division: neighbouring segments must agree. Throws
 * DomainError `undecodable`.
 */
export function toTicks(time: number, timescale: number): number {
  const ticks = Math.floor((time * TICKS_PER_SECOND) / timescale + 0.5 + 1e-4);
  if (Math.abs(ticks) <= MAX_TICKS) return ticks;
  throw undecodable(
    `A sample is to be shown at ${Math.round(time / timescale)} s.`,
    'The timestamps are broken; play the segment with ffplay to see.',
  );
}
