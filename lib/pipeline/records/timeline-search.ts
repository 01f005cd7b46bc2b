/**
 * Finding entries of a long timeline: it is sorted by time and by number alike, so each search halves
 * it. `length` entries take at most log2(length) + 1 reads of one entry, one after the other: 17 for
 * a day of two-second segments. `length` is `nextSequence` of the timeline's state.
 */

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
