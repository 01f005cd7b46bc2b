/** Where an entry of the recording is in the live timeline, by which captions are placed. */

import type { CaptionedEntry } from '../../../domain/captions/caption-placement.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import { findByInstant } from '../../records/timeline-search.ts';

/**
 * Seconds from the start are those of the live timeline, also in the recording: a late arrival has the place
 * of the gap that was shown instead.
 */
export async function withOffset(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  length: number,
  entry: CaptionedEntry & Pick<RecordedEntry, 'sequence'>,
): Promise<CaptionedEntry> {
  const { sequence, programDateTimeMs } = entry;
  if (sequence !== undefined) return entry;
  const live = await findByInstant(records, stream, length, programDateTimeMs);
  if (!live) return { ...entry, offsetTicks: undefined };
  const later = Math.round((programDateTimeMs - live.programDateTimeMs) * 90);
  return { ...entry, offsetTicks: live.offsetTicks + later };
}

/** Seconds of cues are those of the live timeline, which differ where something came late. */
export async function liveEntry(
  deps: Pick<Deps, 'records'>,
  stream: Stream,
  { nextSequence, lateArrivals }: TimelineState,
  entry: RecordedEntry,
): Promise<CaptionedEntry> {
  const { sequence } = entry;
  if (sequence === undefined) return withOffset(deps, stream, nextSequence, entry);
  if (lateArrivals === 0) return entry;
  const { offsetTicks } = (await deps.records.entry(stream, sequence)) ?? entry;
  return { ...entry, offsetTicks };
}
