/** Lists of a whole recording (`?view=vod`), several in one reading of its entries. */

import type { MarkerLog } from '../../domain/marker-log.ts';
import type { ListedPiece } from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import { entryList } from './entry-lists.ts';
import { recordedEntries } from './recorded-entries.ts';

const ENTRIES_AT_ONCE = 500;

/** The next lines of every playlist, in the order of the names, and where they end in the recording. */
export type RecordingPart = Readonly<{ texts: readonly string[]; endTicks: number }>;

export async function* recordingTexts(
  records: Pick<StreamRecords, 'entries' | 'lateArrivals' | 'latePieces'>,
  stream: Stream,
  state: TimelineState,
  names: readonly string[],
  markers: Pick<MarkerLog, 'tags'>,
  /** Is given each entry, too. */
  also?: Readonly<{ add(entry: RecordedEntry): void }>,
): AsyncGenerator<RecordingPart> {
  const header = {
    targetDurationSeconds: targetDurationSeconds(stream.settings, state),
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: 'VOD' as const,
  };
  const lists = names.map((name) => {
    const list = entryList(stream, state, name, 'vod');
    // All of them before the first entry.
    const lines = [list.header(header) + list.markers(markers.tags())];
    return { list, last: undefined as ListedPiece | undefined, lines };
  });
  let count = 0;
  let endTicks = 0;
  const take = (): RecordingPart => ({
    texts: lists.map((list) => list.lines.splice(0).join('')),
    endTicks,
  });
  for await (const entry of recordedEntries(records, stream, state)) {
    for (const one of lists) {
      const { text, listed } = one.list.list(entry, one.last);
      one.last = listed;
      one.lines.push(text);
    }
    also?.add(entry);
    endTicks = entry.offsetTicks + entry.durationTicks;
    count += 1;
    if (count % ENTRIES_AT_ONCE === 0) yield take();
  }
  for (const { list, lines } of lists) lines.push(list.end);
  yield take();
}
