/** Finding entries of a long timeline in a few reads: it is sorted by time and by number alike. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { TimelineEntry } from '../../domain/timeline.ts';
import type { StreamRecords } from './stream-records.ts';

/** The last entry for which `isAtOrBefore` holds; it must hold for a beginning of the timeline only. */
async function lastWhere(
  records: StreamRecords,
  stream: StreamIdentity,
  length: number,
  isAtOrBefore: (entry: TimelineEntry) => boolean,
): Promise<TimelineEntry | undefined> {
  let low = 0;
  let high = length - 1;
  let found: TimelineEntry | undefined;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const entry = await records.entry(stream, middle);
    if (entry && isAtOrBefore(entry)) {
      found = entry;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}

/** The gap that stands for a segment, if one does. */
export async function findGap(
  records: StreamRecords,
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
  const isItsGap = entry?.run === run && entry.number === number;
  return isItsGap && Object.keys(entry.renditions).length === 0 ? entry : undefined;
}

/** The entry that holds a moment: ticks from the start of the stream. */
export async function findByOffset(
  records: StreamRecords,
  stream: StreamIdentity,
  length: number,
  offsetTicks: number,
): Promise<TimelineEntry | undefined> {
  const entry = await lastWhere(records, stream, length, (one) => one.offsetTicks <= offsetTicks);
  return entry && offsetTicks < entry.offsetTicks + entry.durationTicks ? entry : undefined;
}

/** The entry that was on air at an instant. */
export async function findByInstant(
  records: StreamRecords,
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
  const endMs = entry ? entry.programDateTimeMs + entry.durationTicks / 90 : 0;
  return entry && instantMs < endMs ? entry : undefined;
}
