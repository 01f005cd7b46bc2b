/** The recording's entries as they are read from the records. */

import { type RecordedEntry, RecordingBuilder } from '../../domain/recording.ts';
import { DEFAULT_TARGET_SECONDS, type Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { StreamRecords } from '../records/stream-records.ts';

const PAGE = 500;

/** In order, as they are read. */
export async function* recordedEntries(
  records: Pick<StreamRecords, 'entries' | 'lateArrivals' | 'latePieces'>,
  stream: Stream,
  state: TimelineState,
): AsyncGenerator<RecordedEntry> {
  const { nextSequence, targetDurationSeconds = DEFAULT_TARGET_SECONDS } = state;
  const { lateArrivals, latePieces = 0 } = state;
  const late = lateArrivals > latePieces ? await records.lateArrivals(stream) : [];
  const builder = new RecordingBuilder(late, targetDurationSeconds * TICKS_PER_SECOND);
  for (let from = 0; from < nextSequence; from += PAGE) {
    const to = Math.min(nextSequence, from + PAGE) - 1;
    const pieces = latePieces > 0 ? await records.latePieces(stream, from, to) : undefined;
    for (const entry of await records.entries(stream, from, to)) {
      const renditions = { ...entry.renditions, ...pieces?.get(entry.sequence) };
      yield* builder.add({ ...entry, renditions });
    }
  }
  yield* builder.end();
}
