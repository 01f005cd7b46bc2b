/**
 * Finding entries of a long timeline: it is sorted by time and by number alike, so each search halves
 * it. `length` entries take at most log2(length) + 1 reads of one entry, one after the other: 17 for
 * a day of two-second segments. `length` is `nextSequence` of the timeline's state.
 */

import { type ClipBound, distanceOf } from '../../domain/clip.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import {
  isGap,
  isListedLive,
  type TimelineEntry,
  type TimelineState,
} from '../../domain/timeline.ts';
import type { StreamRecords } from './stream-records.ts';

type EntryReader = Pick<StreamRecords, 'entry' | 'entries'>;

/** The last entry for which `isBefore` holds; it must hold for a beginning of the timeline only. */
async function lastWhere(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  isBefore: (entry: TimelineEntry) => boolean,
): Promise<TimelineEntry | undefined> {
  let low = 0;
  let high = length - 1;
  let found: TimelineEntry | undefined;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    // Retention leaves holes: what lies behind one stands for it.
    const entry =
      (await records.entry(stream, middle)) ??
      (await records.entries(stream, middle + 1, high, 1))[0];
    if (entry && isBefore(entry)) {
      found = entry;
      low = entry.sequence + 1;
    } else high = middle - 1;
  }
  return found;
}

/** As `lastWhere`, for what is near the end: as many reads as its distance from the end can be halved, twice. */
async function lastWhereFromEnd(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  isBefore: (entry: TimelineEntry) => boolean,
): Promise<TimelineEntry | undefined> {
  let end = length;
  for (let step = 1; step < length; step *= 2) {
    const entry = await records.entry(stream, length - step);
    if (entry && isBefore(entry)) break;
    end = length - step;
  }
  return lastWhere(records, stream, end, isBefore);
}

/**
 * The last entry that starts at a media time or before it, in the period of so many discontinuities or in one
 * before that.
 */
export const findByMediaTime = (
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  at: Readonly<{ discontinuities: number; startTicks: number }>,
): Promise<TimelineEntry | undefined> =>
  lastWhereFromEnd(
    records,
    stream,
    length,
    ({ discontinuities, startTicks }) =>
      discontinuities < at.discontinuities ||
      (discontinuities === at.discontinuities && startTicks <= at.startTicks),
  );

/** The first entry of the period that an entry lies in. */
export async function findPeriodStart(
  records: EntryReader,
  stream: StreamIdentity,
  { sequence, discontinuities }: TimelineEntry,
): Promise<TimelineEntry | undefined> {
  const isBefore = (one: TimelineEntry): boolean => one.discontinuities < discontinuities;
  const before = await lastWhereFromEnd(records, stream, sequence, isBefore);
  return records.entry(stream, (before?.sequence ?? -1) + 1);
}

/** The last entry of the period that an entry lies in. */
export const findPeriodEnd = (
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  { discontinuities }: Pick<TimelineEntry, 'discontinuities'>,
): Promise<TimelineEntry | undefined> =>
  lastWhere(records, stream, length, (one) => one.discontinuities <= discontinuities);

/** The entry that shows a segment; undefined if there is a gap in its place, or nothing. */
export async function findListed(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  { run, number }: Readonly<{ run: number; number: number }>,
): Promise<TimelineEntry | undefined> {
  const entry = await lastWhere(
    records,
    stream,
    length,
    (one) => one.run < run || (one.run === run && one.number <= number),
  );
  return entry?.run === run && entry.number === number && !isGap(entry) ? entry : undefined;
}

/** The entry at a time, in ticks from the start of the stream; undefined from the end of the timeline on. */
export async function findByOffset(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  offsetTicks: number,
): Promise<TimelineEntry | undefined> {
  const entry = await lastWhere(records, stream, length, (one) => one.offsetTicks <= offsetTicks);
  return entry && offsetTicks < entry.offsetTicks + entry.durationTicks ? entry : undefined;
}

/**
 * The entry that was on air at an instant of the wall clock: its start belongs to it, its end to the
 * next. undefined before the stream, after its end, and while the encoder paused between two runs.
 */
export async function findByInstant(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  instantMs: number,
): Promise<TimelineEntry | undefined> {
  const entry = await lastWhere(
    records,
    stream,
    length,
    (one) => one.programDateTimeMs <= instantMs,
  );
  const endMs = entry ? entry.programDateTimeMs + ticksToMs(entry.durationTicks) : 0;
  return entry && instantMs < endMs ? entry : undefined;
}

/** Sequence of the last entry that begins at an instant of the wall clock or before it; 0: none does. */
export async function findSequenceAt(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  instantMs: number,
): Promise<number> {
  const isBefore = (entry: TimelineEntry): boolean => entry.programDateTimeMs <= instantMs;
  return (await lastWhere(records, stream, length, isBefore))?.sequence ?? 0;
}

/** Sequence of the first entry that ends behind a bound: the number of those that do not. */
export async function findFirstBehind(
  records: EntryReader,
  stream: StreamIdentity,
  length: number,
  bound: ClipBound,
): Promise<number> {
  const isBefore = (entry: TimelineEntry): boolean =>
    distanceOf(entry, bound) >= entry.durationTicks;
  const before = await lastWhere(records, stream, length, isBefore);
  return before ? before.sequence + 1 : 0;
}

/** Sequence of the first entry that live playlists list. */
export async function findFirstListed(
  records: EntryReader,
  stream: StreamIdentity,
  state: TimelineState,
): Promise<number> {
  const isBefore = (entry: TimelineEntry): boolean => !isListedLive(entry, state);
  const before = await lastWhere(records, stream, state.nextSequence, isBefore);
  return before ? before.sequence + 1 : 0;
}
