/** The recording's entries as they are read from the records. */

import { type RecordedEntry, RecordingBuilder } from '../../domain/recording.ts';
import type { Kept } from '../../domain/retention/kept.ts';
import {
  isBeforePlace,
  type RemovedRange,
  type SegmentPlace,
} from '../../domain/retention/retention.ts';
import { DEFAULT_TARGET_SECONDS, type Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { TimelineEntry, TimelineState } from '../../domain/timeline.ts';
import type { StreamRecords } from '../records/stream-records.ts';

const PAGE = 500;

/** In order, as they are read; what retention has removed from the recording is left out. */
export async function* recordedEntries(
  records: Pick<StreamRecords, 'entries' | 'lateArrivals' | 'latePieces' | 'removals'>,
  stream: Stream,
  state: TimelineState,
): AsyncGenerator<RecordedEntry> {
  const { nextSequence, targetDurationSeconds = DEFAULT_TARGET_SECONDS } = state;
  const removed = await removedRanges(records, stream, state.kept);
  const { lateArrivals, latePieces = 0 } = state;
  // One that has expired has a record until its objects go, so their number does not tell.
  const late = lateArrivals > latePieces ? await records.lateArrivals(stream) : [];
  const builder = new RecordingBuilder(
    late.filter((one) => !isRemoved(removed, one)),
    targetDurationSeconds * TICKS_PER_SECOND,
  );
  // By number of entries, not by sequence: removed ones leave holes.
  for (let from = 0; from < nextSequence; ) {
    const page = await records.entries(stream, from, nextSequence - 1, PAGE);
    const to = page.length < PAGE ? nextSequence - 1 : (page.at(-1)?.sequence ?? nextSequence - 1);
    const pieces = latePieces > 0 ? await records.latePieces(stream, from, to) : undefined;
    for (const entry of page) {
      if (isRemoved(removed, entry)) continue;
      const renditions = { ...entry.renditions, ...pieces?.get(entry.sequence) };
      yield* builder.add({ ...entry, renditions });
    }
    from = to + 1;
  }
  yield* builder.end();
}

/** Entries of the timeline as the recording has them, from one sequence to another; no late arrivals. */
export async function recordedRange(
  records: Pick<StreamRecords, 'entries' | 'latePieces' | 'removals'>,
  stream: Stream,
  state: TimelineState,
  from: number,
  to: number,
): Promise<readonly RecordedEntry[]> {
  const last = Math.min(to, state.nextSequence - 1);
  return asRecorded(records, stream, state, await records.entries(stream, Math.max(0, from), last));
}

/** Without what retention has removed, and with the pieces of languages that came late. */
export async function asRecorded(
  records: Pick<StreamRecords, 'latePieces' | 'removals'>,
  stream: Stream,
  { latePieces = 0, kept }: TimelineState,
  entries: readonly TimelineEntry[],
): Promise<readonly RecordedEntry[]> {
  const [first, last] = [entries.at(0), entries.at(-1)];
  if (!first || !last) return [];
  const [pieces, removed] = await Promise.all([
    latePieces > 0 ? records.latePieces(stream, first.sequence, last.sequence) : undefined,
    kept && first.sequence < kept.floorSequence ? removedRanges(records, stream, kept) : [],
  ]);
  return entries
    .filter((entry) => !isRemoved(removed, entry))
    .map((entry) => {
      const renditions = { ...entry.renditions, ...pieces?.get(entry.sequence) };
      return { ...entry, renditions };
    });
}

/** What the recording does not list any more, and is still stored. */
export async function removedRanges(
  records: Pick<StreamRecords, 'removals'>,
  stream: Stream,
  kept: Kept | undefined,
): Promise<readonly RemovedRange[]> {
  const pending = new Set(kept?.removals.map(({ id }) => id));
  if (pending.size === 0) return [];
  const removals = await records.removals(stream);
  return removals.filter(({ id }) => pending.has(id)).flatMap(({ ranges }) => ranges);
}

export const isRemoved = (removed: readonly RemovedRange[], place: SegmentPlace): boolean =>
  removed.some(
    ({ fromPlace, toPlace }) => !isBeforePlace(place, fromPlace) && isBeforePlace(place, toPlace),
  );
